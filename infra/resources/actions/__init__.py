"""What the verbs of the dynamic resources do: each module is imported when a verb of its resource first acts."""
