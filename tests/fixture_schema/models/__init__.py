"""The models of a shop; ../sql/modules.yaml says which module creates which of them."""
