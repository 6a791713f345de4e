package trouble

// The troubles with an API server itself, whatever the step.
const (
	ServerSilent    ID = "server-silent"
	ServerUntrusted ID = "server-untrusted"
	ServerLogin     ID = "server-login"
	ServerRights    ID = "server-rights"
	ObjectRefused   ID = "object-refused"
	FieldsOfOthers  ID = "fields-of-others"
	ObjectOfOthers  ID = "object-of-others"

	OthersInNamespace ID = "others-in-namespace"
)

const apiServer = "API server"

func server() []Trouble {
	return []Trouble{
		{ServerSilent, "", "nobody answers at the kubeconfig's address, or the server says that it is not ready",
			"The cluster is down or starting, its name does not resolve here, or a firewall stands between.",
			[]string{"ask it yourself: `curl -k https://SERVER:6443/readyz`", "point lab.management_cluster.kubeconfig (or --kubeconfig) at the right cluster", "IPv6: the machine that runs labrun needs a route to the lab's network"},
			AtTimeout, apiServer},
		{ServerUntrusted, "", "x509: unknown authority, or a certificate for another name",
			"The kubeconfig is another cluster's, or this one's from before it was installed anew.",
			[]string{"fetch the kubeconfig again from the installation's folder", "leave verification on: what answers may be another lab's cluster"},
			AtOnce, apiServer},
		{ServerLogin, "", "HTTP 401",
			"The kubeconfig's certificate or token is not accepted any more; tokens of `oc login` last a day.",
			[]string{"log in again, or take the kubeconfig of the installation"},
			AtOnce, apiServer},
		{ServerRights, "", "HTTP 403: the user cannot do this",
			"The kubeconfig's user lacks a right that the step needs.",
			[]string{"use an administrator's kubeconfig", "see what there is: `oc auth can-i --list`"},
			AtOnce, apiServer},
		{ObjectRefused, "", "the server, or an operator's admission webhook, refuses the object, and says which field and why",
			"An operator of this cluster does not take what the step wants: a field that its version does not know, a value that it forbids, a component of a name that it never heard of, or a change of a field that can never be changed.",
			[]string{"mend the field that the message names, in the lab file or in the step's patch: `labrun render LAB` shows the object", "an operator that is too old for it: choose a later lab.mce.channel", "a field that can never be changed: the object must be deleted and made again"},
			AtOnce, apiServer},
		{FieldsOfOthers, "", "a conflict names fields that another field manager owns",
			"Somebody else, a person with `oc apply`, GitOps or another tool, applies these fields too.",
			[]string{"let one of the two own them: take them out of the other tool, or out of the step's patch", "see who does what: `oc get OBJECT -o yaml --show-managed-fields`"},
			AtOnce, apiServer},
		{ObjectOfOthers, "", "an object of the name exists and is not this lab's by its labels and the inventory",
			"Somebody else, or another lab, made it: labrun does not take over what is not its own.",
			[]string{"if it is what you want: `labrun run LAB --adopt`", "if it is left over, delete it", "if it is another lab's, give this lab another name"},
			AtOnce, "labrun"},
		{OthersInNamespace, "Namespace", "a namespace that `labrun destroy` would delete holds objects that this lab did not make",
			"The end of a HostedCluster is the end of its control plane's namespace and of all that is in it, whoever put it there: nothing was begun.",
			[]string{"move or delete the objects that the message names", "if they are this lab's, of a run whose inventory was lost: `labrun run LAB --adopt`, then destroy; what was taken over so is not deleted by labrun: it goes with the HostedCluster and its namespace, or stays with its former values", "leave the HostedCluster and its namespace: `labrun destroy LAB --from workers`"},
			AtOnce, "labrun"},
	}
}
