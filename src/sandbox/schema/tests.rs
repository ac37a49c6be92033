mod definitions;
mod manifests;
mod properties;
mod traffic;
