// Package estate keeps who runs what, where: organisations with their dated relations and sites, and every asset with its
// software, by the source that saw it and when.
//
// In come organisation files (ods), inventories (csv, defender, cyclonedx, spdx, osquery, nmap) and people's declarations. Out come organisations,
// assets, installs as intervals of time, and which classes of an estate some fresh source could have seen. It never says that
// something is fixed or not exposed: what a source stops listing is "no longer seen". Names of people that an inventory
// carries (users, owners, paths below a home folder) are never read.
package estate
