package masking

// deepest is how many encodings are looked through, one inside the other: the
// login in the document in the Secret in an error that Go quotes.
const deepest = 4

// layer is a text, or what an encoding in another one stands for.
type layer struct {
	text    []byte
	mark    func(from, to int) // tells a range of it, as one of the text above
	depth   int
	last    bool // nothing more is taken off
	sealed  bool // it was base64: parts of a secret are looked for, too
	partial bool // more of the text will come
	cut     bool // or would have come
}

// least is how much of a secret at the end of a partial text is taken for one.
func (l *layer) least() int {
	if l.cut {
		return block
	}
	return 1
}

// search looks for the forms in a text and in all that it encodes. In a partial
// text it looks for the beginning of one at the end.
type search struct{ forms *forms }

func (s *search) look(l *layer) {
	if l.partial {
		if at := s.forms.begins(l.text, l.least()); at < len(l.text) {
			l.mark(at, len(l.text))
		}
	} else {
		s.forms.scan(l.text, l.sealed, l.mark)
	}
	if l.depth == deepest || l.last {
		return
	}
	s.try(l, unslash)
	s.try(l, unentity)
	s.try(l, unpercent)
	if s.forms.spaces {
		s.try(l, unquery)
	}
	if s.forms.quotes {
		s.try(l, unquote)
	}
	if s.forms.spaces && !l.partial {
		s.tryLast(l, unfold)
	}
	s.base64(l)
}

// try looks into what a decoder makes of a layer.
func (s *search) try(l *layer, decode func(*decoded, []byte)) { s.takeOff(l, decode, false) }

// tryLast is try with a decoder after which nothing is taken off.
func (s *search) tryLast(l *layer, decode func(*decoded, []byte)) { s.takeOff(l, decode, true) }

func (s *search) takeOff(l *layer, decode func(*decoded, []byte), last bool) {
	d := decoded{partial: l.partial}
	decode(&d, l.text)
	if d.open > 0 && !l.cut {
		l.mark(len(l.text)-d.open, len(l.text))
	}
	if d.from == nil {
		return
	}
	d.from = append(d.from, int32(len(l.text)-d.open))
	s.look(&layer{text: d.text, depth: l.depth + 1, last: last, sealed: l.sealed, partial: l.partial, cut: l.cut,
		mark: func(from, to int) { l.mark(int(d.from[from]), int(d.from[to])) }})
}
