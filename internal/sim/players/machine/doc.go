// Package machine plays the servers of the rack: firmware, live image and installed system. A machine knows nothing
// of the cluster but what it read from the image that it booted.
//
// Each machine looks at its own BMC (a read of the system and of its virtual drives) every 400 ms. Where the power
// is on, the boot override is Cd and the drive holds an image, it fetches that image from the URL in the drive, reads
// the InfraEnv's id from it and, after the time that booting takes, registers an Agent named by its UUID in the
// InfraEnv's namespace: not approved, with its inventory, for the assisted-service to judge.
//
// # Agreed with the assisted-service's player
//
// An Agent's annotation machine.labsim/contact is "true" while the machine's agent is in touch and "false" once the
// machine was switched off, or booted from something else: from that the player judges Connected. It is written when
// it changes only. Once status.progress.currentStage is Rebooting or later, the machine runs from its disk: no agent
// is left to be in touch, the annotation stays as it is, and no second Agent appears. A stage that is empty again
// (the Agent was unbound) brings the machine back to its live image.
//
// Failures, of the first machine: agent-lost (its agent registers and is not heard of again), bmh-media-lost (its BMC
// empties the virtual drive before the machine boots: it falls to its disk, and no Agent appears). With
// root-device-hints its disks have other names.
//
// Delays (--delay NAME=DURATION), with what the real one takes:
//
//	machine.boot  4m  from power on until the live image's agent registers
package machine

// Contact is the annotation of an Agent that says whether its machine's agent is in touch.
const Contact = "machine.labsim/contact"

// idFile is the file of a discovery ISO that names the InfraEnv, and idKey the key of its only line.
const (
	idFile = "infraenv.txt"
	idKey  = "infraenv-id: "
)
