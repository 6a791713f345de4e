// Package bmctest is a BMC for tests: an HTTP server that serves a [Tree] of Redfish resources, and behaves as BMCs do, well
// or badly.
//
// A tree is a map from resource path to body; [Small] makes a working one of a few resources, to be changed property by
// property (Set, Unset, AddNIC, AddSlot, AddSystem, MediaUnderManager, ActionInfo), and [ReadTree] reads a crawl from a file.
//
// [Config] says the rest: Basic and session authentication with limits, timeouts and a lock after wrong passwords; TLS;
// latency; $expand that works, is refused, ignored or done by half; collections in pages; power, boot override and virtual
// media that really fetches its image. A [Fault] breaks the answers to some requests: never, late, too little, garbage, a
// redirect, or 503 for a while.
//
// Every request is noted ([BMC.Requests]) and counted: by path, refused, with credentials, in flight, asked twice.
package bmctest
