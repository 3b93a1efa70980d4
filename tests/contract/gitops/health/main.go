// Command health says what GitOps tools make of Kubernetes objects.
//
// It reads a JSON list of objects from standard input and prints a JSON list of verdicts: that of kstatus, by which Flux
// and Helm wait, and that of Argo CD's engine with the health check in Lua that the first argument names. The Lua runs in
// the interpreter that Argo CD uses, with the libraries that it gives to health checks. What Argo CD takes for a hook, it
// says as well, with when it is deleted.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/argoproj/gitops-engine/pkg/health"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/sync/hook"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

type verdict struct {
	Kstatus string               `json:"kstatus"`
	ArgoCD  *health.HealthStatus `json:"argocd"`
	// Hooks are the phases of a sync that the object is a hook of; Deleted is when it goes.
	Hooks   []common.HookType         `json:"hooks"`
	Deleted []common.HookDeletePolicy `json:"deleted"`
}

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(scriptFile string) error {
	script, err := os.ReadFile(scriptFile)
	if err != nil {
		return err
	}
	var documents []json.RawMessage
	if err := json.NewDecoder(os.Stdin).Decode(&documents); err != nil {
		return err
	}
	verdicts := make([]verdict, 0, len(documents))
	for _, document := range documents {
		judged, err := judge(document, check(script))
		if err != nil {
			return err
		}
		verdicts = append(verdicts, judged)
	}
	return json.NewEncoder(os.Stdout).Encode(verdicts)
}

func judge(document []byte, custom health.HealthOverride) (verdict, error) {
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(document); err != nil {
		return verdict{}, err
	}
	computed, err := status.Compute(object)
	if err != nil {
		return verdict{}, err
	}
	assessed, err := health.GetResourceHealth(object, custom)
	if err != nil {
		return verdict{}, err
	}
	judged := verdict{Kstatus: string(computed.Status), ArgoCD: assessed}
	if hook.IsHook(object) {
		judged.Hooks, judged.Deleted = hook.Types(object), hook.DeletePolicies(object)
	}
	return judged, nil
}

// check is a health check in Lua.
type check string

// GetResourceHealth runs the script on an object, the global `obj`; it returns a table with status and message.
func (script check) GetResourceHealth(object *unstructured.Unstructured) (*health.HealthStatus, error) {
	machine := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer machine.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		machine.Push(machine.NewFunction(library.open))
		machine.Push(lua.LString(library.name))
		machine.Call(1, 0)
	}
	text, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	value, err := luajson.Decode(machine, text)
	if err != nil {
		return nil, err
	}
	machine.SetGlobal("obj", value)
	if err := machine.DoString(string(script)); err != nil {
		return nil, err
	}
	answer, err := luajson.Encode(machine.Get(-1))
	if err != nil {
		return nil, err
	}
	found := &health.HealthStatus{}
	return found, json.Unmarshal(answer, found)
}
