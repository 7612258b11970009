package neo4j

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "github.com/neo4j/neo4j-go-driver/v6/neo4j"

	"github.com/azure-tenant-grapher/atg/test/components"
)

// server is a running Neo4j with an empty database.
type server struct {
	uri, password string
	driver        driver.Driver
}

// javaOptions let it start fast and small; those that open packages are from the server's
// own start script.
var javaOptions = []string{
	"-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xms128m", "-Xmx512m",
	"--add-opens=java.base/java.nio=ALL-UNNAMED", "--add-opens=java.base/java.io=ALL-UNNAMED",
	"--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
	"--enable-native-access=ALL-UNNAMED",
}

// start runs Neo4j on loopback for the length of the test.
func start(t *testing.T) *server {
	t.Helper()
	lib := components.Find(t, "neo4j", "ATG_NEO4J_LIB", "neo4j-[0-9]*.[0-9]*.[0-9]*")
	java, err := exec.LookPath("java")
	if err != nil {
		t.Fatalf("neo4j needs Java 17: %v", err)
	}
	s := &server{uri: fmt.Sprintf("bolt://127.0.0.1:%d", freePort(t)), password: rand.Text()}
	home := t.TempDir()
	configure(t, home, strings.TrimPrefix(s.uri, "bolt://"))
	ctx, cancel := context.WithCancel(t.Context())
	args := append(javaOptions, "-cp", filepath.Join(lib, "*"), "org.neo4j.server.CommunityEntryPoint",
		"--home-dir="+home, "--config-dir="+home, "--console-mode")
	cmd := exec.CommandContext(ctx, java, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := follow(out)
	t.Cleanup(func() {
		cancel()
		<-said.ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("neo4j said:\n%s", said.text.String())
		}
	})
	select {
	case <-said.started:
	case <-said.ended:
		t.Fatal("neo4j ended at once")
	case <-time.After(2 * time.Minute):
		t.Fatal("neo4j did not start within two minutes")
	}
	s.firstPassword(t)
	return s
}

func configure(t *testing.T, home, address string) {
	t.Helper()
	text := strings.Join([]string{
		"server.bolt.listen_address=" + address, "server.http.enabled=false", "server.https.enabled=false",
		"server.memory.pagecache.size=32m", "dbms.usage_report.enabled=false",
	}, "\n")
	if err := os.WriteFile(filepath.Join(home, "neo4j.conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// output is what a server says; text may be read once ended is closed.
type output struct {
	started, ended chan struct{}
	text           strings.Builder
}

func follow(in io.Reader) *output {
	o := &output{started: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(o.ended)
		up := false
		for lines := bufio.NewScanner(in); lines.Scan(); {
			o.text.WriteString(lines.Text() + "\n")
			if !up && strings.HasSuffix(lines.Text(), "Started.") {
				up = true
				close(o.started)
			}
		}
	}()
	return o
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// firstPassword sets the password: a new server wants that before anything else.
func (s *server) firstPassword(t *testing.T) {
	t.Helper()
	s.driver = s.connect(t, "neo4j")
	_, err := driver.ExecuteQuery(t.Context(), s.driver, "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO $new",
		map[string]any{"new": s.password}, driver.EagerResultTransformer, driver.ExecuteQueryWithDatabase("system"))
	if err != nil {
		t.Fatal(err)
	}
	s.driver = s.connect(t, s.password)
}

func (s *server) connect(t *testing.T, password string) driver.Driver {
	t.Helper()
	d, err := driver.NewDriver(s.uri, driver.BasicAuth("neo4j", password, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close(context.WithoutCancel(t.Context())) })
	return d
}

// run runs one statement.
func (s *server) run(t *testing.T, query string, params map[string]any) {
	t.Helper()
	if _, err := driver.ExecuteQuery(t.Context(), s.driver, query, params, driver.EagerResultTransformer); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}
