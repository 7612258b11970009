# Every target is one line; what it does lives in scripts/ and in Go.
.PHONY: build demo test test-terraform race lint cover bench docs

build:
	go build -o bin/atg ./cmd/atg

demo: build
	./bin/atg demo

test:
	./scripts/test

test-terraform:
	./scripts/terraform-provider --test

race:
	go test -race -shuffle=on ./...

lint:
	./scripts/lint

cover:
	./scripts/test --html

bench: build
	go run ./bench

docs: build
	./bin/atg docs --dir docs/generated
