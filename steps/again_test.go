package steps

import (
	"testing"
	"time"

	"github.com/labrun/labrun/steps/kube"
)

// TestErrorsOfAFormerRun judges what an earlier run failed on: the user may have
// mended it, and its operator has to look at it once more.
func TestErrorsOfAFormerRun(t *testing.T) {
	host, f := step[Host](t, ipv6, "host")
	env := InfraEnv{Grace: grace(30 * time.Second)}
	refused := func(updated string) string {
		return bareMetalHost(`operationalStatus: error, errorType: registration error, errorMessage: "HTTP 401", errorCount: 2, ` + updated + `provisioning: {state: registering}`)
	}
	image := `{apiVersion: v1, kind: Secret, metadata: {name: pull-secret, namespace: clusters-hosted-ipv6}}` + "\n---\n" +
		`{apiVersion: agent-install.openshift.io/v1beta1, kind: InfraEnv, metadata: {name: hosted-ipv6, namespace: clusters-hosted-ipv6}, status: {conditions: [{type: ImageCreated, status: "False", reason: ImageCreationError, message: no auth, lastTransitionTime: "2026-11-23T11:00:00Z"}]}}`
	for _, c := range []struct {
		name      string
		step      kube.Step
		documents string
		began     time.Duration // before noon
		want      verdict
	}{
		{"host, of the run before", host, refused(`lastUpdated: "2026-11-23T11:59:00Z", `), 10 * time.Second,
			within(noon.Add(170*time.Second), "registration error, 2nd attempt", "it said: HTTP 401", "before this run: Metal3 has until 12:02:50 to try anew")},
		{"host, nobody says since when", host, refused(``), 10 * time.Second, within(noon.Add(170*time.Second), "HTTP 401")},
		{"host, tried anew", host, refused(`lastUpdated: "2026-11-23T11:59:55Z", `), 10 * time.Second, fails("2nd attempt", "HTTP 401")},
		{"host, tried anew in the second in which the step began", host, refused(`lastUpdated: "2026-11-23T11:59:55Z", `), 4900 * time.Millisecond, fails("2nd attempt")},
		{"host, not tried anew", host, refused(`lastUpdated: "2026-11-23T11:00:00Z", `), 3 * time.Minute, fails("2nd attempt")},
		{"condition, of the run before", env, image, 10 * time.Second, within(noon.Add(20*time.Second), "no auth", "since: 11:00:00")},
		{"condition, still there after the grace", env, image, 30 * time.Second, fails("ImageCreated False (ImageCreationError)", "no auth")},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := sees(t, f, c.step, nil, c.documents)
			seen.Began = noon.Add(-c.began)
			c.want.check(t, c.step.Judge(f, seen))
		})
	}
}
