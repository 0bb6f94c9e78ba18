"""Generated messages and service descriptors of package isthmus.v1; made by scripts/gen_protos, not edited."""
