package bmctest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Quirks are what vendors make of virtual media and of the boot override. The zero value does as the standard says. What is
// not here is a tree ([Tree.MediaUnderManager], slots without actions) or a [Fault] (an insert answered with 500 twice).
type Quirks struct {
	Refuses  []string // properties with which an insert is a 400. Supermicro: Inserted, WriteProtected
	Requires []string // properties without which an insert is a 400: TransferProtocolType, TransferMethod, UserName, Password

	EjectAppears bool // a slot has the action EjectMedia only while something is in it. Supermicro
	Accepted     bool // an insert is answered with 202, not 204
	FetchesLater bool // an insert is answered first; the image is fetched, and shows, after that
	FetchesHead  bool // only HEAD: the image is read when the host boots. OpenBMC
	FetchesParts bool // HEAD, then the image in ranges

	WeakTags   bool // every answer has a weak ETag, which no If-Match ever matches: a PATCH with one is a 412
	Continuous bool // BootSourceOverrideEnabled is always Continuous, and the target Hdd at rest. sushy-tools
}

// shape makes the tree of a new BMC one with these quirks.
func (q Quirks) shape(tree Tree) {
	for path, body := range tree {
		if isSlot(body) && q.EjectAppears && body["Inserted"] != true {
			tree.Unset(path, "Actions", ejectAction)
		}
		if boot, ok := body["Boot"].(map[string]any); ok && q.Continuous && boot["BootSourceOverrideEnabled"] == "Disabled" {
			maps.Copy(boot, map[string]any{"BootSourceOverrideEnabled": "Continuous", "BootSourceOverrideTarget": "Hdd"})
		}
	}
}

// tag sets the ETag of an answer.
func (q Quirks) tag(w http.ResponseWriter) {
	if q.WeakTags {
		w.Header().Set("ETag", `W/"1"`)
	}
}

// otherVersion says whether a PATCH is for another version of the resource than this one.
func (q Quirks) otherVersion(r *http.Request) bool {
	return q.WeakTags && r.Header.Get("If-Match") != ""
}

// boot takes out of a PATCH what the BMC accepts and ignores.
func (q Quirks) boot(changes map[string]any) {
	if boot, ok := changes["Boot"].(map[string]any); ok && q.Continuous {
		delete(boot, "BootSourceOverrideEnabled")
	}
}

const (
	insertAction = "#VirtualMedia.InsertMedia"
	ejectAction  = "#VirtualMedia.EjectMedia"
)

func isSlot(body map[string]any) bool {
	t, _ := body["@odata.type"].(string)
	return strings.HasPrefix(t, "#VirtualMedia.")
}

// insert judges the parameters of an insert, fetches the image, and shows it in the slot.
func (b *BMC) insert(w http.ResponseWriter, slot string, parameters map[string]any) {
	image, _ := parameters["Image"].(string)
	if problem := b.config.Quirks.judge(image, parameters); problem != "" {
		refuse(w, http.StatusBadRequest, "Base.1.0.ActionParameterNotSupported", problem)
		return
	}
	if b.config.Quirks.FetchesLater {
		b.fetching.Go(func() { _ = b.load(slot, image) }) // the client was told that all is well
	} else if err := b.load(slot, image); err != nil {
		refuse(w, http.StatusBadRequest, "Base.1.0.ResourceAtUriUnauthorized", "the image cannot be fetched: "+err.Error())
		return
	}
	if b.config.Quirks.Accepted {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// judge says what is wrong with an insert.
func (q Quirks) judge(image string, parameters map[string]any) string {
	if image == "" {
		return "Image is missing"
	}
	for _, name := range q.Refuses {
		if _, ok := parameters[name]; ok {
			return name + " is not supported"
		}
	}
	for _, name := range q.Requires {
		if text, _ := parameters[name].(string); text == "" {
			return name + " is missing"
		}
	}
	scheme, _, _ := strings.Cut(image, "://")
	if protocol, ok := parameters["TransferProtocolType"]; ok && protocol != strings.ToUpper(scheme) {
		return fmt.Sprintf("TransferProtocolType %v is not that of the image", protocol)
	}
	if method, ok := parameters["TransferMethod"]; ok && method != "Stream" && method != "Upload" {
		return fmt.Sprintf("TransferMethod %v is not supported", method)
	}
	return ""
}

// load fetches the image, unless the BMC is told not to, and shows it. A client that has gone meanwhile changes nothing.
func (b *BMC) load(slot, image string) error {
	if !b.config.NoFetch {
		if err := b.fetch(image); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.tree[slot], map[string]any{"Image": image, "Inserted": true, "ConnectedVia": "URI"})
	if b.config.Quirks.EjectAppears {
		b.tree.Set(slot, map[string]any{"target": slot + "/Actions/VirtualMedia.EjectMedia"}, "Actions", ejectAction)
	}
	return nil
}

// Settle returns when the inserts that were answered so far are done (Quirks.FetchesLater).
func (b *BMC) Settle() { b.fetching.Wait() }

func (b *BMC) eject(slot string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.Copy(b.tree[slot], map[string]any{"Image": nil, "Inserted": false, "ConnectedVia": "NotConnected"})
	if b.config.Quirks.EjectAppears {
		b.tree.Unset(slot, "Actions", ejectAction)
	}
}

// patchSlot inserts and ejects by PATCH, where the BMC takes that. Lenovo: an insert needs Inserted true.
func (b *BMC) patchSlot(w http.ResponseWriter, slot string, changes map[string]any) {
	switch {
	case !b.config.Patch:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "Base.1.0.OperationNotAllowed", "a slot takes no PATCH")
	case changes["Inserted"] == false:
		b.eject(slot)
		w.WriteHeader(http.StatusNoContent)
	case changes["Inserted"] != true:
		refuse(w, http.StatusBadRequest, "Base.1.0.PropertyMissing", "Inserted is missing")
	default:
		b.insert(w, slot, changes)
	}
}

// fetch reads the image as this BMC does.
func (b *BMC) fetch(image string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() {
		select {
		case <-b.quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	q := b.config.Quirks
	var requests []string // the Range of each; "HEAD" stands for none
	switch {
	case q.FetchesHead:
		requests = []string{http.MethodHead}
	case q.FetchesParts:
		requests = []string{http.MethodHead, "bytes=0-2047", "bytes=32768-36863"}
	default:
		requests = []string{""}
	}
	for _, r := range requests {
		if err := fetchPart(ctx, image, r); err != nil {
			return err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fetched = append(b.fetched, image)
	return nil
}

func fetchPart(ctx context.Context, image, part string) error {
	method := http.MethodGet
	if part == http.MethodHead {
		method, part = part, ""
	}
	request, err := http.NewRequestWithContext(ctx, method, image, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "bmctest")
	if part != "" {
		request.Header.Set("Range", part)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusPartialContent {
		return fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}
