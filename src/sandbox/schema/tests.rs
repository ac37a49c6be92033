mod definitions;
mod manifests;
mod properties;
