"""The papers' own tables beside ours, in their form: one module a paper."""
