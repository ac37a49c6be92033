//! Digests: of JSON, the same whoever wrote it, and the short ones in names.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// 64 hexadecimal digits: SHA-256 over a value in canonical JSON (RFC 8785).
pub fn sha256(value: &Value) -> String {
    // Values that were parsed from JSON, or made of it, have nothing that JSON cannot say.
    let bytes = serde_json_canonicalizer::to_vec(value).unwrap_or_default();
    short(bytes, 32)
}

/// The first `bytes` bytes of the SHA-256 of a text, two hexadecimal digits each: what tells names apart.
pub fn short(text: impl AsRef<[u8]>, bytes: usize) -> String {
    Sha256::digest(text).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_fields_and_how_a_number_is_written_do_not_matter() {
        let one: Value = serde_json::from_str(r#"{"b": 12, "a": [1, 2]}"#).unwrap();
        assert_eq!(sha256(&one), sha256(&json!({"a": [1, 2], "b": 12.0})));
        assert_ne!(sha256(&one), sha256(&json!({"a": [2, 1], "b": 12})));
        assert_eq!(sha256(&one).len(), 64);
    }
}
