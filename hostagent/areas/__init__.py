"""The areas of a host, one file each: model, probe, labels and samples together. They never import each other."""
