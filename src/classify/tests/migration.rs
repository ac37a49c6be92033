use rstest::rstest;

use super::found;

#[rstest]
#[case("CREATE TABLE a (b int); CREATE INDEX c ON a (b);", "schema-migration-additive")]
#[case("-- DROP TABLE a;\n/* DROP */ COMMENT ON TABLE a IS 'DROP TABLE b; x';", "schema-migration-additive")]
#[case("ALTER TABLE a ADD COLUMN b int;", "schema-migration-additive")]
#[case("ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT 0;", "schema-migration-additive")]
#[case("ALTER TABLE a ADD COLUMN b int NOT NULL;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int NULL, DROP COLUMN c;", "schema-migration-breaking")]
#[case("ALTER TABLE a DROP COLUMN c, ADD COLUMN b int;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int, OWNER TO c;", "schema-migration-breaking")]
#[case("ALTER TABLE a OWNER TO c, ADD COLUMN b int;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int, CONVERT TO CHARACTER SET utf8mb4;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int, FORCE ROW LEVEL SECURITY;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int DEFAULT 0, ADD COLUMN c int NOT NULL;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int NOT NULL DEFAULT NULL;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD COLUMN b int, ADD UNIQUE (b);", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD b int EXEC c;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD b int\nDROP TABLE c", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD key int NOT NULL;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD key numeric (5) CHECK (key > 0);", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD PARTITION p VALUES (1);", "schema-migration-breaking")]
#[case("ALTER TABLE a WITH NOCHECK ADD b int;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD b int, (;", "schema-migration-breaking")]
#[case("ALTER TABLE ( ADD b int);", "schema-migration-breaking")]
#[case(
    "ALTER TABLE IF EXISTS ONLY \"s\".a ADD COLUMN IF NOT EXISTS b numeric(10, 2) NOT NULL DEFAULT 'x'::numeric, ADD c text;",
    "schema-migration-additive"
)]
#[case("ALTER TABLE [dbo].[a] ADD [b] int NULL;", "schema-migration-additive")]
#[case("ALTER TABLE a ADD (b int, c timestamp with time zone DEFAULT now());", "schema-migration-additive")]
#[case("ALTER TABLE a ADD (b int, c int NOT NULL);", "schema-migration-breaking")]
#[case(
    "ALTER TABLE `a` ADD COLUMN b varchar(9) CHARACTER SET utf8mb4 AFTER c, ADD INDEX d (b), ALGORITHM=INPLACE, LOCK=NONE;",
    "schema-migration-additive"
)]
#[case("ALTER TABLE a ADD COLUMN type text[];", "schema-migration-additive")]
#[case("BEGIN; SET lock_timeout = '1s'; SET search_path TO a, b; COMMIT;", "schema-migration-additive")]
#[case("BEGIN TRANSACTION; SET LOCAL x TO on; SET NAMES utf8mb4; USE a; ANALYZE a; END", "schema-migration-additive")]
#[case("BEGIN DELETE FROM a; END;", "schema-migration-breaking")]
#[case("START REPLICA;", "schema-migration-breaking")]
#[case("COMMIT PREPARED 'a';", "schema-migration-breaking")]
#[case("SET NOCOUNT ON DELETE FROM a;", "schema-migration-breaking")]
#[case("SET GLOBAL read_only = 1;", "schema-migration-breaking")]
#[case("SET PASSWORD = 'a';", "schema-migration-breaking")]
#[case("SET @a = (SELECT b());", "schema-migration-breaking")]
#[case("USE a EXEC b;", "schema-migration-breaking")]
#[case("alter table a drop column b;", "schema-migration-breaking")]
#[case("ALTER TABLE a RENAME b TO c;", "schema-migration-breaking")]
#[case("ALTER TABLE a ALTER COLUMN b TYPE bigint;", "schema-migration-breaking")]
#[case("ALTER TABLE a ADD CONSTRAINT b CHECK (c > 0);", "schema-migration-breaking")]
#[case("CREATE UNIQUE INDEX a ON b (c);", "schema-migration-breaking")]
#[case("DROP TABLE a;", "schema-migration-breaking")]
#[case("TRUNCATE a;", "schema-migration-breaking")]
#[case("DELETE FROM a;", "schema-migration-breaking")]
#[case("UPDATE a SET b = 1;", "backfill")]
#[case("CREATE TABLE a (b int); INSERT INTO a VALUES (1);", "schema-migration-additive,backfill")]
#[case("DO $$ BEGIN EXECUTE 'DROP TABLE a'; END $$;", "schema-migration-breaking")]
#[case("SELECT drop_everything();", "schema-migration-breaking")]
#[case("CREATE TABLE a (b text DEFAULT 'it\\'s');", "schema-migration-breaking")]
#[case("COMMENT ON TABLE a IS 'never closed;", "schema-migration-breaking")]
#[case("/*!50001 DROP TABLE a */;", "schema-migration-breaking")]
#[case("-- +goose Up\nCREATE TABLE a (b int);\n-- +goose Down\nDROP TABLE a;", "schema-migration-additive")]
#[case("-- +goose Down\nSELECT 1;\n-- +goose Up\nDROP TABLE a;", "schema-migration-breaking")]
#[case("CREATE TABLE a (b int);\n-- +goose Down\nDROP TABLE a;", "schema-migration-additive,schema-migration-breaking")]
#[case(
    "CREATE TABLE a (b text DEFAULT '-- +goose Down');\nDROP TABLE c;",
    "schema-migration-additive,schema-migration-breaking"
)]
#[case("CREATE TABLE a (b int)\nDROP TABLE c;", "schema-migration-breaking")]
#[case("CREATE TABLE a (b int) DROP TABLE c", "schema-migration-breaking")]
#[case("CREATE TABLE a (b int)\n  alter table c add d int;", "schema-migration-breaking")]
#[case("INSERT INTO a VALUES (1)\nDELETE FROM b;", "schema-migration-breaking")]
#[case("CREATE TABLE a (b int)\nGO\nCREATE TABLE c (d int)\n go \n", "schema-migration-additive")]
#[case("CREATE TABLE a (b int)\nGO\nDROP TABLE c\nGO", "schema-migration-additive,schema-migration-breaking")]
#[case("CREATE TABLE a (\n  b int REFERENCES c ON DELETE CASCADE,\n  go int\n);", "schema-migration-additive")]
#[case("", "schema-migration-additive")]
fn sql(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(found("db/migrations/7_a.sql", None, Some(text)), expected);
}

#[rstest]
#[case::edited(
    "db/migrations/7.sql",
    Some("CREATE TABLE a (b int);"),
    Some("CREATE TABLE a (b text);"),
    "schema-migration-breaking"
)]
#[case::removed("db/migrations/7.sql", Some("CREATE TABLE a (b int);"), None, "schema-migration-breaking")]
#[case::runs_again(
    "db/R__views.sql",
    Some("CREATE VIEW a AS SELECT 1;"),
    Some("CREATE VIEW a AS SELECT 2;"),
    "schema-migration-additive"
)]
#[case::way_back("db/migrations/7.down.sql", None, Some("DROP TABLE a;"), "schema-migration-additive")]
#[case::undo("db/U7__a.sql", None, Some("DROP TABLE a;"), "schema-migration-additive")]
fn a_migration_is_a_new_file(
    #[case] path: &str,
    #[case] before: Option<&str>,
    #[case] after: Option<&str>,
    #[case] expected: &str,
) {
    assert_eq!(found(path, before, after), expected);
}

#[rstest]
#[case("op.create_table('a', sa.Column('b', sa.Integer(), nullable=False))", "schema-migration-additive")]
#[case("op.add_column('a', sa.Column('b', sa.Integer(), nullable=True))", "schema-migration-additive")]
#[case("op.add_column('a', sa.Column('b', sa.Integer(), nullable=False))", "schema-migration-breaking")]
#[case(
    "op.add_column('a', sa.Column('b', sa.Integer(), nullable=False, server_default='0'))",
    "schema-migration-additive"
)]
#[case("with op.batch_alter_table('a') as batch_op:\n        batch_op.drop_column('b')", "schema-migration-breaking")]
#[case("op.create_index('a', 'b', ['c'], unique=True)", "schema-migration-breaking")]
#[case("op.bulk_insert(a, [])", "backfill")]
#[case("op.execute('x')", "schema-migration-breaking")]
#[case("op.get_bind().execute('x')", "schema-migration-breaking")]
#[case("pass", "schema-migration-additive")]
fn alembic(#[case] body: &str, #[case] expected: &str) {
    let text = format!("revision = '1'\n\ndef upgrade():\n    {body}\n\ndef downgrade():\n    op.drop_table('a')\n");
    assert_eq!(found("alembic/versions/1_a.py", None, Some(&text)), expected);
}

#[rstest]
#[case(
    "migrations.CreateModel(name='A', fields=[('id', models.AutoField(primary_key=True))])",
    "schema-migration-additive"
)]
#[case("migrations.AddField('a', 'b', models.IntegerField(null=True))", "schema-migration-additive")]
#[case("migrations.AddField('a', 'b', models.IntegerField(default=0))", "schema-migration-breaking")]
#[case("migrations.AddField('a', 'b', models.IntegerField(db_default=0))", "schema-migration-additive")]
#[case("migrations.RemoveField('a', 'b')", "schema-migration-breaking")]
#[case("migrations.RunPython(f)", "schema-migration-breaking")]
#[case("migrations.AlterField('a', 'b', models.TextField())", "schema-migration-breaking")]
fn django(#[case] operation: &str, #[case] expected: &str) {
    let text = format!("class Migration(migrations.Migration):\n    operations = [\n        {operation},\n    ]\n");
    assert_eq!(found("shop/migrations/0002_a.py", None, Some(&text)), expected);
}

#[rstest]
#[case::imported_by_its_name("operations = [RemoveField('a', 'b')]")]
#[case::beside_others("operations = [\n migrations.AddIndex('a', 'b'),\n RemoveField('a', 'b'),\n]")]
#[case::of_a_function("operations = steps()")]
#[case::with_more("operations = [migrations.AddIndex('a', 'b')] + more")]
#[case::appended("operations = []\n    operations.append(RemoveField('a', 'b'))")]
#[case::spread("operations = [*more, migrations.AddIndex('a', 'b')]")]
#[case::never_closed("operations = [migrations.AddIndex('a', 'b'),")]
fn what_django_runs_that_is_no_plain_list_is_breaking(#[case] operations: &str) {
    let text = format!("class Migration(migrations.Migration):\n    {operations}\n");
    assert_eq!(found("shop/migrations/0002_a.py", None, Some(&text)), "schema-migration-breaking");
}

#[rstest]
#[case::none("operations = []")]
#[case::texts("operations = [  # what: [\n migrations.AlterModelOptions('a', {'verbose_name': \"], b\"}),\n]")]
fn a_plain_list_of_django_is_additive(#[case] operations: &str) {
    let text = format!("class Migration(migrations.Migration):\n    {operations}\n");
    assert_eq!(found("shop/migrations/0002_a.py", None, Some(&text)), "schema-migration-additive");
}

#[rstest]
#[case("create_table :a do |t|\n      t.string :b, null: false\n    end", "schema-migration-additive")]
#[case("add_column :a, :b, :string,\n      null: false", "schema-migration-breaking")]
#[case("add_column :a, :b, :string, null: false, default: 'x'", "schema-migration-additive")]
#[case("add_index :a, :b, unique: true", "schema-migration-breaking")]
#[case("remove_column :a, :b", "schema-migration-breaking")]
#[case("change_table :a do |t|\n      t.remove :b\n    end", "schema-migration-breaking")]
#[case("execute 'x'", "schema-migration-breaking")]
#[case("add_column :a, :b, :string; drop_table :c", "schema-migration-additive,schema-migration-breaking")]
#[case("end\n  def more = drop_table :c\n  def other", "schema-migration-breaking")]
fn rails(#[case] body: &str, #[case] expected: &str) {
    let text = format!(
        "class A < ActiveRecord::Migration[8.0]\n  def up\n    {body}\n  end\n\n  def down\n    drop_table :a\n  end\nend\n"
    );
    assert_eq!(found("db/migrate/1_a.rb", None, Some(&text)), expected);
}

const CHANGELOG: &str = "<databaseChangeLog xmlns=\"http://www.liquibase.org/xml/ns/dbchangelog\">\
    <changeSet id=\"1\" author=\"a\"><createTable tableName=\"a\"/></changeSet></databaseChangeLog>";

#[rstest]
#[case(
    "<changeSet id=\"2\" author=\"a\"><addColumn tableName=\"a\"><column name=\"b\" type=\"int\"/></addColumn></changeSet>",
    "schema-migration-additive"
)]
#[case(
    "<changeSet id=\"2\" author=\"a\"><addColumn tableName=\"a\"><column name=\"b\"><constraints nullable=\"false\"/></column></addColumn></changeSet>",
    "schema-migration-breaking"
)]
#[case("<changeSet id=\"2\" author=\"a\"><dropTable tableName=\"a\"/></changeSet>", "schema-migration-breaking")]
#[case("<changeSet id=\"2\" author=\"a\"><sql>UPDATE a SET b = 1</sql></changeSet>", "backfill")]
fn liquibase(#[case] set: &str, #[case] expected: &str) {
    let after = CHANGELOG.replace("</databaseChangeLog>", &format!("{set}</databaseChangeLog>"));
    assert_eq!(found("src/db/changelog/a.xml", Some(CHANGELOG), Some(&after)), expected);
}

#[test]
fn a_change_set_that_ran_is_not_edited() {
    let edited = CHANGELOG.replace("tableName=\"a\"", "tableName=\"b\"");
    assert_eq!(found("src/db/changelog/a.xml", Some(CHANGELOG), Some(&edited)), "schema-migration-breaking");
    assert_eq!(found("src/db/changelog/a.xml", Some(CHANGELOG), Some("<broken")), "schema-migration-breaking");
}
