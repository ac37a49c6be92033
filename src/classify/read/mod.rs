//! Readers: formats in which the two texts tell more than the path.
//!
//! A reader answers with what it saw, and with nothing where the file is not of its format. What it cannot tell is the
//! worse of what it could be, and it says so.

pub mod dependency;
pub mod migration;
pub mod schema;
pub mod sql;

use std::fmt;
use std::str::FromStr;

use super::change::ChangedFile;
use crate::policy::Category;

/// What a reader saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub category: Category,
    /// Where, from 1; None for the file as a whole.
    pub line: Option<u32>,
    /// Why, in words; never a value.
    pub says: String,
}

impl Seen {
    /// Something in the file as a whole.
    pub fn whole(category: Category, says: impl Into<String>) -> Self {
        Self { category, line: None, says: says.into() }
    }
}

macro_rules! readers {
    ($($(#[$meta:meta])* $name:ident $word:literal $read:path;)+) => {
        /// A format that can be read; the word is what stands in a rule's `reads`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reader { $($(#[$meta])* $name),+ }

        impl Reader {
            /// Every reader.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its word, such as `sql-migration`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }

        /// What the reader of a format sees in a changed file.
        pub fn read(reader: Reader, file: &ChangedFile) -> Vec<Seen> {
            match reader { $(Reader::$name => $read(file)),+ }
        }
    };
}

readers! {
    /// Migrations in SQL: Flyway, Prisma, goose, plain files.
    SqlMigration "sql-migration" migration::sql;
    /// SQL anywhere: a migration where it changes a schema, else nothing.
    OtherSql "other-sql" migration::other_sql;
    /// Migrations of Alembic.
    Alembic "alembic" migration::alembic;
    /// Migrations of Django.
    Django "django" migration::django;
    /// Migrations of Rails.
    Rails "rails" migration::rails;
    /// Changelogs of Liquibase in XML, YAML, JSON or SQL.
    Liquibase "liquibase" migration::liquibase;
    /// `Cargo.toml`.
    CargoToml "cargo-toml" dependency::cargo_toml;
    /// `Cargo.lock`, `poetry.lock` and `uv.lock`.
    TomlLock "toml-lock" dependency::toml_lock;
    /// `package.json`.
    PackageJson "package-json" dependency::package_json;
    /// `package-lock.json`.
    PackageLock "package-lock" dependency::package_lock;
    /// `pnpm-lock.yaml`.
    PnpmLock "pnpm-lock" dependency::pnpm_lock;
    /// `yarn.lock`.
    YarnLock "yarn-lock" dependency::yarn_lock;
    /// `go.mod`.
    GoMod "go-mod" dependency::go_mod;
    /// `go.sum`.
    GoSum "go-sum" dependency::go_sum;
    /// `requirements.txt` and files like it.
    Requirements "requirements" dependency::requirements;
    /// `pyproject.toml`.
    PyProject "pyproject" dependency::pyproject;
    /// `pom.xml`.
    Maven "maven" dependency::maven;
    /// `gradle.lockfile`.
    GradleLock "gradle-lock" dependency::gradle_lock;
    /// `libs.versions.toml` of Gradle.
    GradleCatalog "gradle-catalog" dependency::gradle_catalog;
    /// `Gemfile.lock`.
    GemfileLock "gemfile-lock" dependency::gemfile_lock;
    /// `composer.json`.
    ComposerJson "composer-json" dependency::composer_json;
    /// `composer.lock`.
    ComposerLock "composer-lock" dependency::composer_lock;
    /// OpenAPI 3 and Swagger 2, in YAML or JSON.
    OpenApi "openapi" schema::openapi;
    /// Protocol Buffers.
    Protobuf "protobuf" schema::protobuf;
    /// The schema language of GraphQL.
    GraphQl "graphql" schema::graphql;
    /// JSON Schema.
    JsonSchema "json-schema" schema::json_schema;
    /// Avro schemas.
    Avro "avro" schema::avro;
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Reader {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let words = || Self::ALL.iter().map(|reader| reader.as_str()).collect::<Vec<_>>().join(", ");
        let known = Self::ALL.iter().copied().find(|reader| reader.as_str() == text);
        known.ok_or_else(|| format!("{text:?} is no reader; the readers are {}", words()))
    }
}
