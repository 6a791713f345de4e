package masking

import (
	"slices"
	"strings"

	"github.com/labrun/labrun/internal/masking/weak"
)

const (
	block     = weak.Shortest // bytes by which a place in a text is looked up
	piece     = 12            // bytes of a secret that are one: where base64 was cut into lines
	reach     = 64            // bytes that a piece is followed at a time
	perBlock  = 8             // places of one block that are kept: of zeros there are many
	filterLog = 16

	reachBack = 4 << 10 // bytes before the end of a text that was cut short that may be the beginning of a secret
)

// forms are the secrets, indexed by their blocks: texts are searched for all of
// them at once, in a time that depends on the text alone.
type forms struct {
	all    []string
	at     map[uint64][]place
	filter []uint64  // a bit for the hash of each block: most of a text passes here
	sixes  [256]byte // of base64
	starts map[string]bool

	spaces, quotes bool // a secret holds one
}

// place is a block of a form.
type place struct{ form, at int32 }

// span is a range of bytes.
type span struct{ from, to int }

func newForms() *forms {
	return &forms{at: map[uint64][]place{}, filter: make([]uint64, 1<<filterLog/64), starts: map[string]bool{}, sixes: sixes()}
}

// add enters one more form.
func (f *forms) add(form string) {
	if !slices.Contains(f.all, form) {
		f.all = append(f.all, form)
		f.enter(int32(len(f.all)-1), form)
	}
}

func (f *forms) enter(i int32, form string) {
	f.spaces = f.spaces || strings.Contains(form, " ")
	f.quotes = f.quotes || strings.Contains(form, "'")
	for n := 1; n < block; n++ {
		f.starts[form[:n]] = true
	}
	for at := 0; at+block <= len(form); at += block {
		f.note(i, at, form)
	}
	f.note(i, len(form)-block, form)
}

func (f *forms) note(i int32, at int, form string) {
	key := keyOf(form[at:])
	places := f.at[key]
	if at > 0 && len(places) >= perBlock {
		return
	}
	f.at[key] = append(places, place{i, int32(at)})
	bit := hash(key)
	f.filter[bit/64] |= 1 << (bit % 64)
}

// keyOf is the first block of text as a number.
func keyOf[T string | []byte](text T) uint64 {
	var key uint64
	for i := range block {
		key = next(key, text[i])
	}
	return key
}

// next is the key of the block that ends one byte later.
func next(key uint64, c byte) uint64 { return key>>8 | uint64(c)<<(8*(block-1)) }

func hash(key uint64) uint64 { return key * 0x9e3779b97f4a7c15 >> (64 - filterLog) }

// scan tells where secrets stand in a text; with pieces also parts of them, which
// nobody could read.
func (f *forms) scan(text []byte, pieces bool, found func(from, to int)) {
	if len(text) < block {
		return
	}
	key := keyOf(text) << 8
	for i := 0; i+block <= len(text); i++ {
		key = next(key&(1<<(8*block)-1), text[i+block-1])
		if bit := hash(key); f.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, p := range f.at[key] {
			form := f.all[p.form]
			if p.at == 0 && len(form) <= len(text)-i && string(text[i:i+len(form)]) == form {
				found(i, i+len(form))
			} else if pieces {
				if from, to := follow(text, i, form, int(p.at)); to > from {
					found(from, to)
				}
			}
		}
	}
}

// follow gives how far a text is the same as a form around one of its blocks,
// nothing where that is too little to be part of a secret.
func follow(text []byte, i int, form string, at int) (from, to int) {
	from, to = i, i+block
	for n := 1; n <= min(i, at, reach) && text[i-n] == form[at-n]; n++ {
		from = i - n
	}
	for n := block; n < min(len(text)-i, len(form)-at, reach) && text[i+n] == form[at+n]; n++ {
		to = i + n + 1
	}
	if n := to - from; n >= piece || n >= weak.ShortestLine && at+to-i == len(form) {
		return from, to
	}
	return 0, 0
}

// begins gives where the end of a text may be the beginning of a secret, of which
// at least so many bytes are there, and its length where nowhere.
func (f *forms) begins(text []byte, least int) int {
	for i := range len(text) - least + 1 {
		rest := text[i:]
		if len(rest) < block {
			if f.starts[string(rest)] {
				return i
			}
			continue
		}
		for _, p := range f.at[keyOf(rest)] {
			if form := f.all[p.form]; p.at == 0 && strings.HasPrefix(form, string(rest)) {
				return i
			}
		}
	}
	return len(text)
}

// mask gives text with Mask in place of every secret.
func (f *forms) mask(text string) string {
	found := f.find(text)
	if len(found) == 0 {
		return text
	}
	var b strings.Builder
	last := 0
	for _, s := range found {
		b.WriteString(text[last:s.from])
		b.WriteString(Mask)
		last = s.to
	}
	b.WriteString(text[last:])
	return b.String()
}

// find gives where secrets stand in text, in order and apart.
func (f *forms) find(text string) []span {
	if f == nil || len(text) < block {
		return nil
	}
	var found []span
	s := search{forms: f}
	s.look(&layer{text: []byte(text), mark: func(from, to int) { found = append(found, span{from, to}) }})
	for at := cutIn(text, 0); at >= 0; at = cutIn(text, at+1) {
		before := max(strings.LastIndexByte(text[:at], '\n')+1, at-reachBack)
		s.look(&layer{text: []byte(text[before:at]), partial: true, cut: true,
			mark: func(from, to int) { found = append(found, span{before + from, before + to}) }})
	}
	return united(found)
}

// cutIn gives where a text was cut short, from a place on, -1 where nowhere.
func cutIn(text string, from int) int {
	at := strings.Index(text[from:], "…")
	if dots := strings.Index(text[from:], "..."); at < 0 || dots >= 0 && dots < at {
		at = dots
	}
	if at < 0 {
		return -1
	}
	return from + at
}

// united puts spans in order, those that touch as one.
func united(found []span) []span {
	slices.SortFunc(found, func(a, b span) int { return a.from - b.from })
	var all []span
	for _, s := range found {
		if n := len(all); n > 0 && s.from <= all[n-1].to {
			all[n-1].to = max(all[n-1].to, s.to)
		} else {
			all = append(all, s)
		}
	}
	return all
}
