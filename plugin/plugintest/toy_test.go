package plugintest_test

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/plugin/plugintest"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/gotest"
)

func TestToyConforms(t *testing.T) {
	gotest.Run(t, toySubject(newToy()))
}

var _ = plugintest.Checks
