// Package shim reaches the upstream provider, which is internal to its module: this package's path stands below that
// module's, so that Go lets it in.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// New gives the upstream provider.
func New(version string) *schema.Provider {
	return provider.New(version)()
}
