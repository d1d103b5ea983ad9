package ministack_test

import (
	"os"
	"os/exec"
	"testing"
)

// TestTheTwinsAreLikeTheServices runs the contract suites of the adapters again, against services that speak AWS's
// protocols. What holds of the twins in memory, on which the other proofs rest, must hold of these.
func TestTheTwinsAreLikeTheServices(t *testing.T) {
	e := emulator(t)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./shared/store", "./shared/queue/...", "./shared/blob/...", "./shared/bus")
	cmd.Dir = "../../.."
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+e.Endpoint(), "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
