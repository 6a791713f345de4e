package steps

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/labrun/labrun/labs"
)

// wrongSizes checks the claims of assisted-service when the lab file is loaded:
// what a size is, Kubernetes says, which labs does not know.
func wrongSizes(f *labs.Facts) []labs.Problem {
	var problems []labs.Problem
	for _, claim := range []struct{ fact, size, least string }{
		{"database_storage", f.AgentService.DatabaseStorage, "1Gi"},
		{"filesystem_storage", f.AgentService.FilesystemStorage, "1Gi"},
		{"image_storage", f.AgentService.ImageStorage, "10Gi"},
	} {
		p := labs.Problem{Path: "agent_service." + claim.fact, Hint: "a quantity such as 20Gi, at least " + claim.least}
		size, err := resource.ParseQuantity(claim.size)
		switch {
		case err != nil:
			p.Message = fmt.Sprintf("%q is no size", claim.size)
		case size.Cmp(resource.MustParse(claim.least)) < 0:
			p.Message = fmt.Sprintf("%s is too small: assisted-service refuses a claim of less than %s", claim.size, claim.least)
		default:
			continue
		}
		problems = append(problems, p)
	}
	return problems
}
