package storage_test

import (
	"testing"

	"github.com/azure-tenant-grapher/atg/internal/plugins/storage/conformance"
	"github.com/azure-tenant-grapher/atg/plugin/plugintest/gotest"
)

func TestConformance(t *testing.T) {
	gotest.Run(t, conformance.Subject())
}
