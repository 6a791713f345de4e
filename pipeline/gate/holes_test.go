package gate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindHoles(t *testing.T) {
	for _, c := range []struct {
		text  string
		holes []string
		whole bool
	}{
		{`plain }} text`, nil, false},
		{`${{ lab.workers }}`, []string{` lab.workers `}, true},
		{"${{ lab.workers }}\n", []string{` lab.workers `}, true},
		{`é${{lab.a}}-${{ lab.b }}ü`, []string{`lab.a`, ` lab.b `}, false},
		{`${{ {a: {b: 1}}.a.b }}`, []string{` {a: {b: 1}}.a.b `}, true},
		{`${{ '}}' + "}}" }}`, []string{` '}}' + "}}" `}, true},
		{`${{ {a: {b: 1}} }}`, []string{` {a: {b: 1}} `}, true},
		{`$${{ not a hole }} ${{ x }}`, []string{` x `}, false},
		{`$$${{ x`, nil, false},
	} {
		holes, err := FindHoles(c.text)
		if err != nil {
			t.Errorf("%s: %s", c.text, err.Message)
			continue
		}
		var got []string
		runes := []rune(c.text)
		for _, h := range holes {
			got = append(got, h.Text)
			if inner := string(runes[h.TextFrom : h.TextFrom+len([]rune(h.Text))]); inner != h.Text {
				t.Errorf("%s: TextFrom points at %q", c.text, inner)
			}
			if all := string(runes[h.From : h.From+h.Width]); all != "${{"+h.Text+"}}" {
				t.Errorf("%s: From and Width hold %q", c.text, all)
			}
		}
		if diff := cmp.Diff(c.holes, got); diff != "" {
			t.Errorf("%s: %s", c.text, diff)
		}
		if IsWhole(c.text, holes) != c.whole {
			t.Errorf("%s: whole is %v", c.text, !c.whole)
		}
	}
}

func TestFindHolesRefuses(t *testing.T) {
	for _, c := range []struct{ text, points, message string }{
		{`a ${{ lab.x`, "${{", "${{ is not closed: }} is missing"},
		{`a ${{ lab.x } }`, "${{", "${{ is not closed: }} is missing"},
		{`é ${{ 'a }}`, "}", "a quote is not closed"},
		{`é ${{ a ; § }}`, "§", "§ has no meaning here"},
	} {
		_, err := FindHoles(c.text)
		if err == nil {
			t.Errorf("%s was not refused", c.text)
			continue
		}
		if err.Message != c.message || pointed(c.text, err) != c.points {
			t.Errorf("%s: %q at %q", c.text, err.Message, pointed(c.text, err))
		}
	}
}

func TestFill(t *testing.T) {
	text := `é${{ a }}:${{ b }} $${{ c }} ${{ d }}`
	holes, err := FindHoles(text)
	if err != nil {
		t.Fatal(err.Message)
	}
	if got := Fill(text, holes, []any{"x", 6443, 1.5}); got != `éx:6443 ${{ c }} 1.5` {
		t.Errorf("got %q", got)
	}
	if got := Fill(`$${{ x }}`, nil, nil); got != `${{ x }}` {
		t.Errorf("got %q", got)
	}
}
