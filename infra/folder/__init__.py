"""A folder of SQL modules with its settings, and the stacks that use it, as the commands without Pulumi see them."""
