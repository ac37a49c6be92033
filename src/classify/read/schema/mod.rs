//! Interfaces: what others rely on. Each format is taken apart into the elements of a [`Contract`]; those are compared.

mod avro;
mod contract;
mod graphql;
mod json;
mod openapi;
mod protobuf;

pub(super) use avro::avro;
pub(super) use graphql::graphql;
pub(super) use json::json_schema;
pub(super) use openapi::openapi;
pub(super) use protobuf::protobuf;

use contract::{Adding, Contract, Side, compare};
