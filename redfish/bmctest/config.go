package bmctest

import (
	"crypto/tls"
	"time"
)

// Config says what the BMC is like. The zero value serves [Small] over plain http on 127.0.0.1 to anyone.
type Config struct {
	Tree   Tree
	Listen string // host:port; default 127.0.0.1:0

	TLS         bool             // with Certificate
	Certificate *tls.Certificate // nil: self-signed for 127.0.0.1 and ::1; many BMCs should share one of NewCertificate
	Silent      bool             // takes connections and never says a word on them, not even TLS's first

	Username string // with Password: asked for on everything but the root
	Password string

	// LockAfter is how many wrong passwords in a row lock the account, by Basic or by session; 0: never. A locked account
	// gets LockStatus (default 401) even with the right password, for LockFor (0: until Unlock). Sessions that are open stay.
	LockAfter  int
	LockFor    time.Duration
	LockStatus int

	Sessions        bool          // advertise sessions and open them; Basic works all the same
	SessionLimit    int           // 0: none
	SessionTimeout  time.Duration // a session that is not used for so long is gone; 0: never
	SessionLocation Location      // where the answer says that a new session stands

	Expand   Expand // what becomes of $expand
	PageSize int    // members of a collection in one answer, the rest behind Members@odata.nextLink; 0: all

	Latency time.Duration // of every answer; of some: a Fault of kind Slow with a path
	Patch   bool          // slots without InsertMedia take a PATCH, and every slot's Allow header says so
	NoFetch bool          // InsertMedia answers 204 and never fetches the image
	Quirks  Quirks
	Faults  []Fault

	Arrived func(Request) // called when a request has arrived, before it is answered, also by several goroutines at once; may be nil
}

// Location is where a BMC says that a new session stands.
type Location int

// The places. The standard asks for the first; the others are met.
const (
	LocationPath Location = iota // a path in the Location header
	LocationURL                  // a full URL in the Location header, under a host name that only the BMC knows
	LocationBody                 // only in the body's @odata.id
	LocationNone                 // nowhere: the session cannot be deleted
)

// Expand is what a BMC makes of $expand.
type Expand int

// The ways. Only ExpandNone does not advertise it in the root's ProtocolFeaturesSupported.
const (
	ExpandNone     Expand = iota // not advertised, and ignored in a request, as sushy-tools does
	ExpandWorks                  // ".", "*" and "~", with $levels
	ExpandRefused                // 501
	ExpandInvalid                // 400
	ExpandIgnored                // 200 with plain links
	ExpandPartial                // the first member is expanded, the others are links
	ExpandExcerpts               // members hold @odata.id, @odata.type, Id and Name, and nothing of substance
)
