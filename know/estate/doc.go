// Package estate keeps who runs what, where: organisations with their dated relations and sites, and every asset with its
// software, by the source that saw it and when.
//
// In come organisation files (ods), inventories (csv, defender, intune, sccm, medical, cyclonedx, spdx, osquery, nmap), scans (nessus) and
// people's declarations. Out come organisations, assets, installs as intervals of time, what scanners report by themselves, and which
// classes of an estate some fresh source could have seen. One device that several tools list is one asset, by the rules of
// verdictOf, and can be made two again. It never says that
// something is fixed or not exposed: what a source stops listing is "no longer seen". Names of people that an inventory
// carries (users, owners, paths below a home folder) are never read.
package estate
