//! The schema language of GraphQL.

use graphql_parser::schema::{
    Definition, Directive, Field, InputValue, Type, TypeDefinition, TypeExtension, parse_schema,
};

use super::{Adding, Contract, Side, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

const UNKNOWN_VALUE: Adding = Adding::Breaks("former clients do not know it");

pub fn graphql(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Side::Api, |text| {
        Some(match parse_schema::<&str>(text) {
            Ok(document) => Ok(contract(&document.definitions)),
            Err(_) => Err("it cannot be read".to_owned()),
        })
    })
}

fn contract<'a>(definitions: &[Definition<'a, &'a str>]) -> Contract {
    let mut all = Contract::default();
    let mut roots = vec!["Query", "Mutation", "Subscription"];
    for definition in definitions {
        if let Definition::SchemaDefinition(schema) = definition {
            roots = [schema.query, schema.mutation, schema.subscription].into_iter().flatten().collect();
        }
    }
    for definition in definitions {
        match definition {
            Definition::SchemaDefinition(schema) => {
                let shape = format!("{:?} {:?} {:?}", schema.query, schema.mutation, schema.subscription);
                all.add("schema", None, Side::Api, shape, Adding::Breaks("other root types"));
            }
            Definition::TypeDefinition(definition) => of_type(&mut all, definition, &roots),
            Definition::TypeExtension(extension) => of_extension(&mut all, extension, &roots),
            Definition::DirectiveDefinition(directive) => {
                let arguments: Vec<String> = directive.arguments.iter().map(argument_shape).collect();
                let shape = format!("{} {:?} {}", arguments.join(","), directive.locations, directive.repeatable);
                all.add(format!("directive @{}", directive.name), None, Side::Api, shape, Adding::Compatible);
            }
        }
    }
    all
}

fn of_type<'a>(all: &mut Contract, definition: &TypeDefinition<'a, &'a str>, roots: &[&str]) {
    match definition {
        TypeDefinition::Scalar(one) => declare(all, "scalar", one.name, &[], &one.directives),
        TypeDefinition::Object(one) => {
            let adding = if roots.contains(&one.name) { Adding::Endpoint } else { Adding::Compatible };
            declare_as(all, "type", one.name, &one.implements_interfaces, &one.directives, adding);
            fields(all, one.name, &one.fields, roots);
        }
        TypeDefinition::Interface(one) => {
            declare(all, "interface", one.name, &one.implements_interfaces, &one.directives);
            fields(all, one.name, &one.fields, roots);
        }
        TypeDefinition::Union(one) => {
            declare(all, "union", one.name, &[], &one.directives);
            members(all, one.name, one.types.iter().copied());
        }
        TypeDefinition::Enum(one) => {
            declare(all, "enum", one.name, &[], &one.directives);
            members(all, one.name, one.values.iter().map(|value| value.name));
        }
        TypeDefinition::InputObject(one) => {
            declare(all, "input", one.name, &[], &one.directives);
            inputs(all, one.name, &one.fields);
        }
    }
}

fn of_extension<'a>(all: &mut Contract, extension: &TypeExtension<'a, &'a str>, roots: &[&str]) {
    match extension {
        TypeExtension::Scalar(one) => extended(all, one.name, &[], &one.directives),
        TypeExtension::Object(one) => {
            extended(all, one.name, &one.implements_interfaces, &one.directives);
            fields(all, one.name, &one.fields, roots);
        }
        TypeExtension::Interface(one) => {
            extended(all, one.name, &one.implements_interfaces, &one.directives);
            fields(all, one.name, &one.fields, roots);
        }
        TypeExtension::Union(one) => {
            extended(all, one.name, &[], &one.directives);
            members(all, one.name, one.types.iter().copied());
        }
        TypeExtension::Enum(one) => {
            extended(all, one.name, &[], &one.directives);
            members(all, one.name, one.values.iter().map(|value| value.name));
        }
        TypeExtension::InputObject(one) => {
            extended(all, one.name, &[], &one.directives);
            inputs(all, one.name, &one.fields);
        }
    }
}

fn declare<'a>(all: &mut Contract, kind: &str, name: &str, interfaces: &[&str], directives: &[Directive<'a, &'a str>]) {
    declare_as(all, kind, name, interfaces, directives, Adding::Compatible);
}

fn declare_as<'a>(
    all: &mut Contract,
    kind: &str,
    name: &str,
    interfaces: &[&str],
    directives: &[Directive<'a, &'a str>],
    adding: Adding,
) {
    let shape = format!("{kind} {interfaces:?} {}", used(directives));
    all.add(name, None, Side::Api, shape, adding);
}

fn extended<'a>(all: &mut Contract, name: &str, interfaces: &[&str], directives: &[Directive<'a, &'a str>]) {
    let directives = used(directives);
    if !interfaces.is_empty() || !directives.is_empty() {
        let shape = format!("{interfaces:?} {directives}");
        all.add(format!("extend {name} {shape}"), None, Side::Api, shape, Adding::Breaks("cannot tell what it does"));
    }
}

/// Directives may do anything, such as ask for a role; that something is deprecated only informs.
fn used<'a>(directives: &[Directive<'a, &'a str>]) -> String {
    let shown = directives.iter().filter(|directive| directive.name != "deprecated").map(|directive| {
        let arguments: Vec<String> =
            directive.arguments.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        format!("@{}({})", directive.name, arguments.join(","))
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn fields<'a>(all: &mut Contract, owner: &str, fields: &[Field<'a, &'a str>], roots: &[&str]) {
    for field in fields {
        let name = format!("{owner}.{}", field.name);
        let adding = if roots.contains(&owner) { Adding::Endpoint } else { Adding::Compatible };
        all.add(&name, Some(owner), Side::Api, format!("{} {}", field.field_type, used(&field.directives)), adding);
        inputs(all, &name, &field.arguments);
    }
}

fn inputs<'a>(all: &mut Contract, owner: &str, inputs: &[InputValue<'a, &'a str>]) {
    for input in inputs {
        let must = matches!(input.value_type, Type::NonNullType(_)) && input.default_value.is_none();
        let adding = if must { Adding::Breaks("callers must send it") } else { Adding::Compatible };
        all.add(format!("{owner}({})", input.name), Some(owner), Side::Api, argument_shape(input), adding);
    }
}

fn argument_shape<'a>(input: &InputValue<'a, &'a str>) -> String {
    let default = input.default_value.as_ref().map(ToString::to_string);
    format!("{} {} {default:?} {}", input.name, input.value_type, used(&input.directives))
}

fn members<'a>(all: &mut Contract, owner: &str, names: impl Iterator<Item = &'a str>) {
    for name in names {
        all.add(format!("{owner} = {name}"), Some(owner), Side::Api, "", UNKNOWN_VALUE);
    }
}
