"""Node-side agent for virtualization hosts: inspect, explain, render; never touch."""

__version__ = "0.1.0"
