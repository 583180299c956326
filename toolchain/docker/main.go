// The docker plugin for machines that reach only package registries: the upstream provider behind Pulumi's bridge, under
// the tokens and the version of the released plugin, with the four resources that this program declares.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

// Set by the linker: the version of the Python SDK that asks for this plugin.
var version = "0.0.0"

//go:embed schema.json
var pulumiSchema []byte

func main() {
	resource := func(member tokens.Type, fields map[string]*tfbridge.SchemaInfo) *tfbridge.ResourceInfo {
		return &tfbridge.ResourceInfo{Tok: "docker:index/" + member, Fields: fields}
	}
	upstream := shim.New(version)
	declared := map[string]*tfbridge.ResourceInfo{
		"docker_container": resource("container:Container", map[string]*tfbridge.SchemaInfo{
			"command":           {Name: "command"},
			"networks_advanced": {Name: "networksAdvanced"},
		}),
		"docker_image": resource("remoteImage:RemoteImage", map[string]*tfbridge.SchemaInfo{
			"name": {Name: "name"},
		}),
		"docker_network": resource("network:Network", nil),
		"docker_volume":  resource("volume:Volume", nil),
	}
	declared["docker_container"].DeleteBeforeReplace = true // two cannot have one name and one port
	var ignored []string
	for name := range upstream.ResourcesMap {
		if declared[name] == nil {
			ignored = append(ignored, name)
		}
	}
	for name := range upstream.DataSourcesMap {
		ignored = append(ignored, name)
	}
	tfbridge.Main("docker", version, tfbridge.ProviderInfo{
		P:                              sdkv2.NewProvider(upstream),
		Name:                           "docker",
		Version:                        version,
		ResourcePrefix:                 "docker",
		EnableZeroDefaultSchemaVersion: true,
		EnableAccurateBridgePreview:    true,
		IgnoreMappings:                 ignored,
		Resources:                      declared,
	}, pulumiSchema)
}
