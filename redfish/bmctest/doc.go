// Package bmctest is a BMC for tests: an HTTP server that serves a [Tree] of Redfish resources, with Basic or session
// authentication, virtual media that really fetches its image, power, boot override, faults, and a record of every request.
//
// A tree is a map from resource path to body; [Small] makes a working one of a few resources, to be changed property by
// property, and [ReadTree] reads one from a file.
package bmctest
