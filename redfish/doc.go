// Package redfish asks a server's BMC, over Redfish, whether it can do what a lab needs of it, and drives one where asked.
//
// [Preflight] takes hosts and gives one [Report] a host: each check of [Catalogue] with its result (pass, warn, fail, skip or
// unknown), what was seen, and what to do about it. It only reads; the one thing it writes is a session, which it deletes
// again. It is careful with hardware that locks accounts: a wrong password is tried exactly once, and a credential never
// leaves for another host than the one in the address.
//
// It asks for at most fourteen resources a BMC, beside one for each network interface, media slot and storage resource.
// [Options.Overrides] turns a check off or changes what its findings count as, for a reason that the report repeats.
//
// Where [Options] has [Active], it also proves the virtual drive ([ActiveCatalogue]): it puts a small image in, sees the BMC
// fetch it, sets the boot override once, and takes all of that back again, also where it is interrupted. It never resets a
// host, and leaves alone one that has media in its drive or a boot override set.
//
// [Open] gives a [Service], a small client that writes: power, virtual media, boot override.
//
// Addresses are those of a BareMetalHost (spec.bmc.address), read by Metal3's own parser and then more strictly: see
// [ParseAddress].
//
// A BMC for tests stands in package bmctest.
package redfish
