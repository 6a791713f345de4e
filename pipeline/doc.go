// Package pipeline is the engine: it loads a file of facts and steps, checks it
// whole, plans it and runs it, and tells what happens as events. It knows no
// Kubernetes, SSH or Redfish, nor what a lab is: the program hands it the type of
// the facts and the list of the kinds of steps.
//
// Data flows one way: file → Pipeline → Plan → Run → events.
package pipeline
