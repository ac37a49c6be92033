//! Protocol Buffers.

use prost_types::field_descriptor_proto::Label;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};

use super::{Adding, Contract, Side, compare};
use crate::classify::change::ChangedFile;
use crate::classify::read::Seen;

pub fn protobuf(file: &ChangedFile) -> Vec<Seen> {
    compare(file, Side::Payload, |text| {
        Some(match protox_parse::parse("schema.proto", text) {
            Ok(file) => Ok(contract(&file)),
            Err(_) => Err("it cannot be read".to_owned()),
        })
    })
}

fn contract(file: &FileDescriptorProto) -> Contract {
    let mut all = Contract::default();
    // Where types of other files come from; which are imported without being used does not matter.
    let head = format!("{:?} {:?} {:?} {:?}", file.package, file.syntax, file.options, file.extension);
    all.add("package, syntax, options and extensions", None, Side::Payload, head, Adding::Compatible);
    let open = file.syntax.as_deref() == Some("proto3");
    file.message_type.iter().for_each(|one| message(&mut all, "", None, one, open));
    file.enum_type.iter().for_each(|one| enumeration(&mut all, "", None, one, open));
    file.service.iter().for_each(|one| service(&mut all, one));
    all
}

fn message(all: &mut Contract, outer: &str, parent: Option<&str>, one: &DescriptorProto, open: bool) {
    let name = format!("{outer}{}", one.name());
    let shape = format!("{:?} {:?} {:?}", one.extension, one.extension_range, one.options);
    all.add(&name, parent, Side::Payload, shape, Adding::Compatible);
    for field in &one.field {
        let group = field.oneof_index.filter(|_| !field.proto3_optional());
        let group =
            group.and_then(|index| one.oneof_decl.get(usize::try_from(index).ok()?)).map(|decl| decl.name().to_owned());
        // A case more is one that a former reader takes for none at all.
        let adding = match (field.label(), &group) {
            (Label::Required, _) => Adding::Breaks("it is required"),
            (Label::Optional | Label::Repeated, Some(_)) => {
                Adding::Breaks("a case of a oneof that former readers do not know")
            }
            (Label::Optional | Label::Repeated, None) => Adding::Compatible,
        };
        all.add(
            format!("{name} field {}", field.number()),
            Some(&name),
            Side::Payload,
            shape_of(field, group.as_deref()),
            adding,
        );
    }
    for range in &one.reserved_range {
        let numbers = format!("{name} reserves {} to {}", range.start(), range.end());
        all.add(numbers, Some(&name), Side::Payload, "", Adding::Compatible);
    }
    for reserved in &one.reserved_name {
        all.add(format!("{name} reserves the name {reserved}"), Some(&name), Side::Payload, "", Adding::Compatible);
    }
    let inner = format!("{name}.");
    one.nested_type.iter().for_each(|below| message(all, &inner, Some(&name), below, open));
    one.enum_type.iter().for_each(|below| enumeration(all, &inner, Some(&name), below, open));
}

fn shape_of(field: &FieldDescriptorProto, group: Option<&str>) -> String {
    // That a field is deprecated only informs. Options are not resolved, so that it stands among the plain words.
    let mut options = field.options.clone().unwrap_or_default();
    options.deprecated = None;
    options
        .uninterpreted_option
        .retain(|option| option.name.iter().map(|part| part.name_part.as_str()).ne(["deprecated"]));
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {options:?} {group:?}",
        field.name(),
        field.label,
        field.r#type,
        field.type_name,
        field.extendee,
        field.default_value,
        field.json_name,
        field.proto3_optional
    )
}

fn enumeration(all: &mut Contract, outer: &str, parent: Option<&str>, one: &EnumDescriptorProto, open: bool) {
    let name = format!("{outer}{}", one.name());
    all.add(&name, parent, Side::Payload, format!("{:?}", one.options), Adding::Compatible);
    let adding =
        if open { Adding::Compatible } else { Adding::Breaks("former readers of a closed enum do not know it") };
    for value in &one.value {
        all.add(
            format!("{name} value {}", value.name()),
            Some(&name),
            Side::Payload,
            value.number().to_string(),
            adding,
        );
    }
}

fn service(all: &mut Contract, one: &ServiceDescriptorProto) {
    let name = format!("service {}", one.name());
    all.add(&name, None, Side::Api, format!("{:?}", one.options), Adding::Endpoint);
    for method in &one.method {
        let shape = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            method.input_type, method.output_type, method.client_streaming, method.server_streaming, method.options
        );
        all.add(format!("{name}.{}", method.name()), Some(&name), Side::Api, shape, Adding::Endpoint);
    }
}
