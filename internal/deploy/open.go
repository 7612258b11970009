package deploy

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/azure-tenant-grapher/atg/errs"
	"github.com/azure-tenant-grapher/atg/internal/deploy/arm"
	"github.com/azure-tenant-grapher/atg/internal/deploy/bicep"
	"github.com/azure-tenant-grapher/atg/internal/deploy/change"
	"github.com/azure-tenant-grapher/atg/internal/deploy/terraform"
	"github.com/azure-tenant-grapher/atg/internal/event"
)

// Timeouts bound the steps of a deployment. Zero means no bound.
type Timeouts struct {
	Init   time.Duration // terraform init
	Plan   time.Duration // terraform plan, compilation, validation, what-if
	Deploy time.Duration // terraform apply, the deployment in Azure
}

// DefaultTimeouts are those of upstream's timeout configuration: 2, 5 and 30 minutes.
func DefaultTimeouts() Timeouts {
	return Timeouts{Init: 2 * time.Minute, Plan: 5 * time.Minute, Deploy: 30 * time.Minute}
}

// Options say what is deployed where.
type Options struct {
	Dir    string
	Format Format // "": what the files say
	Run    string // names the deployment in Azure

	Tenant         string // the target's ID, for those who take the events
	SubscriptionID string
	ResourceGroup  string
	Location       string
	Place          string // subscription in which what Terraform plans is taken to be; "": SubscriptionID

	Parameters      string // file with the parameters of a template; "": the one beside it
	TerraformBinary string // "": terraform, else tofu
	Workspace       string // TF_WORKSPACE of the environment

	Credential azcore.TokenCredential // of the target; Terraform signs in by itself
	Client     policy.ClientOptions
	Timeouts   Timeouts
	Abort      <-chan struct{} // closed: do not wait for an orderly end; may be nil
	Emit       event.Sink      // may be nil
}

// Detect returns the format of the files in opt.Dir; see Found.Choose.
func Detect(opt Options) (Format, error) {
	found, err := Look(opt.Dir)
	if err != nil {
		return "", err
	}
	return found.Choose(opt.Dir, opt.Format)
}

// open returns the driver of the format, with all files read and compiled, and the ID of
// where it deploys to, if that is known beforehand.
func open(ctx context.Context, format Format, opt Options) (change.Driver, string, error) {
	if format == Terraform {
		d, err := terraform.New(terraform.Options{
			Dir: opt.Dir, Binary: opt.TerraformBinary, SubscriptionID: opt.SubscriptionID, Place: opt.Place, Workspace: opt.Workspace,
			Timeouts: terraform.Timeouts(opt.Timeouts), Abort: opt.Abort, Emit: opt.Emit,
		})
		return d, "", err
	}
	template, parameters, err := read(ctx, format, opt)
	if err != nil {
		return nil, "", err
	}
	if template.Scope == arm.Group && opt.ResourceGroup == "" {
		return nil, "", &errs.Error{
			Op: "deploy the template", Kind: errs.Invalid, Resource: opt.Dir, Err: errors.New("it is for a resource group, and none is named"),
			Hint: "name one by --resource-group; it is created if it is not there",
		}
	}
	to := arm.Options{
		Template: template, Parameters: parameters, Name: "atg-" + opt.Run,
		SubscriptionID: opt.SubscriptionID, ResourceGroup: opt.ResourceGroup, Location: opt.Location,
		Credential: opt.Credential, Client: opt.Client,
		Timeouts: arm.Timeouts{Plan: opt.Timeouts.Plan, Deploy: opt.Timeouts.Deploy}, Abort: opt.Abort, Emit: opt.Emit,
	}
	d, err := arm.New(to)
	return d, to.Scope(), err
}

// read reads template and parameters; what is Bicep is compiled first.
func read(ctx context.Context, format Format, opt Options) (arm.Template, arm.Parameters, error) {
	found, err := Look(opt.Dir)
	if err != nil {
		return arm.Template{}, nil, err
	}
	main, err := found.Main(opt.Dir, format)
	if err != nil {
		return arm.Template{}, nil, err
	}
	compiler := bicep.Compiler{Timeout: opt.Timeouts.Plan, Emit: opt.Emit}
	text, err := source(main, format == Bicep, func() ([]byte, error) { return compiler.Template(ctx, main) })
	if err != nil {
		return arm.Template{}, nil, err
	}
	template, err := arm.ParseTemplate(text, main)
	if err != nil {
		return arm.Template{}, nil, err
	}
	file := opt.Parameters
	if file == "" {
		if file, err = found.ParameterFile(opt.Dir, main); err != nil || file == "" {
			return template, nil, err
		}
	}
	isParam := strings.HasSuffix(file, ".bicepparam")
	if text, err = source(file, isParam, func() ([]byte, error) { return compiler.Parameters(ctx, file) }); err != nil {
		return arm.Template{}, nil, err
	}
	parameters, err := arm.ParseParameters(text, file)
	return template, parameters, err
}

// source is the text of a file, or what it compiles to.
func source(path string, compiled bool, compile func() ([]byte, error)) ([]byte, error) {
	if compiled {
		return compile()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &errs.Error{Op: "read the file", Kind: errs.Invalid, Resource: path, Err: unwrapPath(err)}
	}
	return text, nil
}
