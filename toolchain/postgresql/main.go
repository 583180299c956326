// The postgresql plugin for machines that reach only package registries: the upstream provider behind Pulumi's bridge,
// under the tokens and the version of the released plugin.
package main

import (
	_ "embed"
	"sync"

	"github.com/hashicorp/terraform-plugin-sdk/helper/schema"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv1 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-postgresql/postgresql"
)

// Set by the linker: the version of the Python SDK that asks for this plugin.
var version = "0.0.0"

//go:embed schema.json
var pulumiSchema []byte

func main() {
	upstream := postgresql.Provider().(*schema.Provider)
	connectWhenFirstNeeded(upstream)
	resource := func(member tokens.Type) *tfbridge.ResourceInfo {
		return &tfbridge.ResourceInfo{Tok: "postgresql:index/" + member}
	}
	grant := resource("grant:Grant")
	grant.DeleteBeforeReplace = true
	tfbridge.Main("postgresql", version, tfbridge.ProviderInfo{
		P:                              sdkv1.NewProvider(upstream),
		Name:                           "postgresql",
		Version:                        version,
		ResourcePrefix:                 "postgresql",
		EnableZeroDefaultSchemaVersion: true,
		EnableAccurateBridgePreview:    true,
		Resources: map[string]*tfbridge.ResourceInfo{
			"postgresql_database":           resource("database:Database"),
			"postgresql_default_privileges": resource("defaultPrivileges:DefaultPrivileges"),
			"postgresql_extension":          resource("extension:Extension"),
			"postgresql_grant":              grant,
			"postgresql_role":               resource("role:Role"),
			"postgresql_schema":             resource("schema:Schema"),
		},
	}, pulumiSchema)
}

// connectWhenFirstNeeded makes the provider behave as its later releases do: configuring it opens no connection, the
// first resource that is created, read, updated or deleted does. Upstream's version of 2020 connects at once, so that a
// preview or a destroy failed whenever the server was down.
func connectWhenFirstNeeded(provider *schema.Provider) {
	connect := provider.ConfigureFunc
	provider.ConfigureFunc = func(config *schema.ResourceData) (interface{}, error) {
		return &lazyClient{connect: func() (interface{}, error) { return connect(config) }}, nil
	}
	for _, r := range provider.ResourcesMap {
		r.Create = afterConnecting(r.Create)
		r.Read = afterConnecting(r.Read)
		r.Update = afterConnecting(r.Update)
		r.Delete = afterConnecting(r.Delete)
		if exists := r.Exists; exists != nil {
			r.Exists = func(d *schema.ResourceData, meta interface{}) (bool, error) {
				client, err := meta.(*lazyClient).get()
				if err != nil {
					return false, err
				}
				return exists(d, client)
			}
		}
	}
}

func afterConnecting[F ~func(*schema.ResourceData, interface{}) error](act F) F {
	if act == nil {
		return nil
	}
	return func(d *schema.ResourceData, meta interface{}) error {
		client, err := meta.(*lazyClient).get()
		if err != nil {
			return err
		}
		return act(d, client)
	}
}

// lazyClient holds upstream's client once a connection has succeeded; a failure is not remembered, so that a server
// which comes up later is found.
type lazyClient struct {
	mutex   sync.Mutex
	connect func() (interface{}, error)
	client  interface{}
}

func (l *lazyClient) get() (interface{}, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.client == nil {
		client, err := l.connect()
		if err != nil {
			return nil, err
		}
		l.client = client
	}
	return l.client, nil
}
