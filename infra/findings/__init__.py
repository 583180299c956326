"""What lint and check find: findings with places, and how they are shown to people and to machines."""
