"""The dynamic resources: thin translations between Pulumi's verbs and what acts.

The paths of these modules are in the state of every stack: they never change after the first release.
"""
