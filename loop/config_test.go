package loop

import "testing"

func TestShippedConfigLoads(t *testing.T) {
	rounds, err := Load("../configs/loop.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(rounds) != 2 {
		t.Errorf("%d rounds", len(rounds))
	}
}
