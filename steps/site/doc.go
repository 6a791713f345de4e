// Package site asks whether what a lab stands on is ready, beside its workers' BMCs, which package redfish asks: the names
// of the lab's DNS, its registry, the images that the workers boot, and the management cluster. It only reads.
//
// [Checks] lists what is asked, each check a small function with its own id, and [Ask] asks them side by side. A check needs
// others; where one of those does not pass it is skipped, and says which.
package site
