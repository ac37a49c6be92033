//! One policy, read and compiled.

use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding, Variable,
};
use serde_json::Value;

use super::constraints::Constraints;
use super::review::Review;
use crate::cel::{Fault, Program, Scope};

/// What mutating and validating policies have in common.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) name: String,
    /// The binding that puts it in force.
    pub(super) binding: String,
    constraints: Constraints,
    conditions: Vec<Program>,
    pub(super) variables: Vec<(String, Program)>,
    /// Whether a write is refused where an expression has an error.
    pub(super) fails: bool,
}

/// A policy that changes objects.
#[derive(Debug)]
pub(super) struct Mutating {
    pub(super) policy: Policy,
    /// Each gives a list of JSON patch operations.
    pub(super) mutations: Vec<Program>,
    /// Runs once more where a later policy changed the object.
    pub(super) again: bool,
}

/// A policy that refuses writes.
#[derive(Debug)]
pub(super) struct Validating {
    pub(super) policy: Policy,
    pub(super) validations: Vec<Validation>,
}

/// One validation.
#[derive(Debug)]
pub(super) struct Validation {
    pub(super) program: Program,
    pub(super) message: Option<String>,
    pub(super) message_expression: Option<Program>,
    pub(super) reason: Option<String>,
}

fn parse(text: &str) -> Result<Program, String> {
    Program::parse(text).map_err(|why| why.to_string())
}

fn fails(policy: Option<&str>) -> Result<bool, String> {
    match policy {
        None | Some("Fail") => Ok(true),
        Some("Ignore") => Ok(false),
        Some(other) => Err(format!("spec.failurePolicy: Unsupported value: \"{other}\"")),
    }
}

impl Policy {
    fn read(
        name: Option<String>,
        binding: String,
        constraints: Constraints,
        conditions: Option<&Vec<MatchCondition>>,
        variables: Option<&Vec<Variable>>,
        fails: bool,
    ) -> Result<Self, String> {
        let variables =
            variables.into_iter().flatten().map(|variable| Ok((variable.name.clone(), parse(&variable.expression)?)));
        Ok(Self {
            name: name.unwrap_or_default(),
            binding,
            constraints,
            conditions: conditions.into_iter().flatten().map(|one| parse(&one.expression)).collect::<Result<_, _>>()?,
            variables: variables.collect::<Result<_, String>>()?,
            fails,
        })
    }

    /// Whether its rules and selectors choose a write.
    pub(super) fn concerns(&self, review: &Review<'_>, object: Option<&Value>) -> bool {
        self.constraints.concern(review, object)
    }

    /// Whether all conditions hold; one that does not outweighs the errors of others.
    pub(super) fn applies<'a>(&'a self, scope: &Scope<'a>) -> Result<bool, Fault> {
        let mut error = Ok(true);
        for condition in &self.conditions {
            match scope.eval(condition).and_then(|holds| holds.truth()) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => error = Err(why),
            }
        }
        error
    }
}

impl Mutating {
    /// Whether any of its expressions names a variable.
    pub(super) fn names(&self, variable: &str) -> bool {
        let variables = self.policy.variables.iter().map(|(_, program)| program);
        self.policy.conditions.iter().chain(variables).chain(&self.mutations).any(|program| program.uses(variable))
    }

    /// Reads a policy and its binding; the error says what is wrong or not supported.
    pub(super) fn read(
        policy: MutatingAdmissionPolicy,
        binding: &MutatingAdmissionPolicyBinding,
    ) -> Result<Self, String> {
        let spec = policy.spec.ok_or("spec: Required value")?;
        let bound = binding.spec.as_ref();
        if spec.param_kind.is_some()
            || bound.is_some_and(|bound| bound.param_ref.is_some() || bound.match_resources.is_some())
        {
            return Err("parameters and the binding's matchResources are not supported".to_owned());
        }
        let mutations = spec.mutations.iter().flatten().map(|mutation| {
            let expression = mutation.json_patch.as_ref().and_then(|patch| patch.expression.as_deref());
            let expression = expression.filter(|_| mutation.patch_type == "JSONPatch");
            parse(expression.ok_or_else(|| format!("patchType {} is not supported", mutation.patch_type))?)
        });
        Ok(Self {
            mutations: mutations.collect::<Result<_, _>>()?,
            again: spec.reinvocation_policy.as_deref() == Some("IfNeeded"),
            policy: Policy::read(
                policy.metadata.name,
                binding.metadata.name.clone().unwrap_or_default(),
                Constraints::read(spec.match_constraints.as_ref())?,
                spec.match_conditions.as_ref(),
                spec.variables.as_ref(),
                fails(spec.failure_policy.as_deref())?,
            )?,
        })
    }
}

impl Validating {
    /// Reads a policy and its binding; the error says what is wrong or not supported.
    pub(super) fn read(
        policy: ValidatingAdmissionPolicy,
        binding: &ValidatingAdmissionPolicyBinding,
    ) -> Result<Self, String> {
        let spec = policy.spec.ok_or("spec: Required value")?;
        let bound = &binding.spec;
        if spec.param_kind.is_some() || bound.param_ref.is_some() || bound.match_resources.is_some() {
            return Err("parameters and the binding's matchResources are not supported".to_owned());
        }
        if bound.validation_actions != ["Deny"] {
            return Err("validationActions other than [Deny] are not supported".to_owned());
        }
        let validations = spec.validations.iter().flatten().map(|validation| {
            Ok(Validation {
                program: parse(&validation.expression)?,
                message: validation.message.clone(),
                message_expression: validation.message_expression.as_deref().map(parse).transpose()?,
                reason: validation.reason.clone(),
            })
        });
        Ok(Self {
            validations: validations.collect::<Result<_, String>>()?,
            policy: Policy::read(
                policy.metadata.name,
                binding.metadata.name.clone().unwrap_or_default(),
                Constraints::read(spec.match_constraints.as_ref())?,
                spec.match_conditions.as_ref(),
                spec.variables.as_ref(),
                fails(spec.failure_policy.as_deref())?,
            )?,
        })
    }
}
