//! Places: conversion between coordinate systems, plausibility of positions, and zones.
//!
//! Pure: text and numbers in, values out. Positions are WGS-84 degrees, longitude first.

pub mod crs;
mod plausibility;
mod zones;

pub use plausibility::{DEFAULT_MARGIN_DEG, Plausibility, plausibility};
pub use zones::{
    GRID_LAYER, GridError, HierarchyProblem, HierarchyReason, LayerFigures, Loaded, MOST_CELLS,
    Overlap, Repair, SkipReason, Whereabouts, ZoneFileError, ZoneFileOddity, ZoneIndex,
    ZoneOptions, ZoneProblem, ZoneRepair, automatic_resolution,
};
