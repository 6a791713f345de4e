package masking

const (
	shortestRun = 8  // characters of base64 that hold a secret of 6 bytes
	wrapped     = 60 // characters after which base64 goes on in the next line, at least
	readable    = 8  // bytes of text in a row without which nothing more is encoded
)

// run is a run of characters of base64 in a text.
type run struct {
	at, size int
	places   []int32 // of the characters, nil where they stand side by side
}

func (r run) place(n int) int {
	if r.places == nil {
		return r.at + n
	}
	return int(r.places[n])
}

// base64 looks into each run of base64, which may begin and end anywhere in what
// was encoded.
func (s *search) base64(l *layer) {
	for at := 0; at < len(l.text); {
		r := s.forms.runAt(l.text, at)
		if r.size == 0 {
			at++
			continue
		}
		at = r.place(r.size-1) + 1
		if l.partial && at == len(l.text) {
			if !l.cut {
				l.mark(r.place(max(0, r.size-4)), at) // the last of them say too little
			}
			s.unpack(l, r)
		} else if !l.partial && r.size >= shortestRun {
			s.unpack(l, r)
		}
	}
}

// unpack looks into a run of which up to three characters may be missing.
func (s *search) unpack(l *layer, r run) {
	for cut := range 4 {
		inner := layer{text: s.forms.plain(l.text, r, cut), depth: l.depth + 1, sealed: true, partial: l.partial, cut: l.cut,
			mark: func(from, to int) {
				l.mark(r.grown(l.text, max(0, from*4/3-cut), min((to*4+2)/3-cut, r.size), l.partial))
			}}
		inner.last = !inner.partial && !hasText(inner.text)
		s.look(&inner)
	}
}

// hasText says whether a text may be an encoding of something, and no noise.
func hasText(text []byte) bool {
	n := 0
	for _, c := range text {
		if c >= ' ' && c <= '~' || c == '\n' {
			if n++; n == readable {
				return true
			}
		} else {
			n = 0
		}
	}
	return false
}

// grown gives the range of some characters of a run in its text, grown to the ends
// of the run's lines and over the padding. Of a run that goes on the beginning is
// left: it is told already, or no part of the secret.
func (r run) grown(text []byte, from, to int, open bool) (int, int) {
	if open {
		return r.place(from), len(text)
	}
	for from > 0 && r.place(from-1) == r.place(from)-1 {
		from--
	}
	for to < r.size && r.place(to) == r.place(to-1)+1 {
		to++
	}
	end := r.place(to-1) + 1
	for to == r.size && end < len(text) && text[end] == '=' {
		end++
	}
	return r.place(from), end
}

// runAt gives the run of base64 that begins at a place. It goes on over the line
// breaks of a wrapped one.
func (f *forms) runAt(text []byte, at int) run {
	r := run{at: at}
	for line := 0; at < len(text); {
		if f.sixes[text[at]] < 64 {
			if r.places != nil {
				r.places = append(r.places, int32(at))
			}
			r.size++
			at, line = at+1, line+1
			continue
		}
		next := at
		for next < len(text) && (text[next] == '\n' || text[next] == '\r' || text[next] == ' ' && next > at) {
			next++
		}
		if line < wrapped || next == at || next == len(text) || f.sixes[text[next]] >= 64 {
			break
		}
		if r.places == nil {
			r.places = make([]int32, r.size, len(text)-r.at)
			for n := range r.places {
				r.places[n] = int32(r.at + n)
			}
		}
		at, line = next, 0
	}
	return r
}

// plain decodes a run of base64 of which a number of characters was cut off.
func (f *forms) plain(text []byte, r run, cut int) []byte {
	out := make([]byte, max(0, cut-1), (r.size+cut)*3/4+1) // what was cut off reads as nothing
	var bits uint32
	for n := range r.size {
		bits = bits<<6 | uint32(f.sixes[text[r.place(n)]])
		switch (n + cut) % 4 {
		case 1:
			out = append(out, byte(bits>>4))
		case 2:
			out = append(out, byte(bits>>2))
		case 3:
			out = append(out, byte(bits))
		}
	}
	return out
}

// sixes gives the number that each character of base64 stands for, in both
// alphabets, 64 for others.
func sixes() (number [256]byte) {
	for c := range number {
		number[c] = 64
	}
	for n, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		number[c] = byte(n)
	}
	number['-'], number['_'] = 62, 63
	return number
}
