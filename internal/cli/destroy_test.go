package cli

import (
	"strings"
	"testing"
)

// What a look could not read is told, and not as somebody's objects.
func TestUndoingUnread(t *testing.T) {
	u := Undoing{Lab: "night", Items: []UndoItem{{"delete", "Namespace clusters-h", "made by step namespaces"}}, Others: []UndoItem{},
		Unread: []string{"configmaps: no right"}}
	var out strings.Builder
	if err := u.write(&out, false); err != nil {
		t.Fatal(err)
	}
	want := `delete  Namespace clusters-h  made by step namespaces

what would go with the lab could not all be read, so that nothing would be begun: configmaps: no right
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}
