// Package plugintest is the conformance suite: what every plugin must do, as checks
// that anybody can run. Its oracle is the emulator's own state and request log; it never
// asks the plugin whether the plugin did well.
//
// A plugin takes part by describing itself as a Subject: the ARM resources it needs, how
// the emulator's service is filled, how the objects of a target must relate to those of
// its source, and which requests read a value or write. In a test:
//
//	func TestConformance(t *testing.T) { gotest.Run(t, conformance.Subject()) }
//
// In the program, "atg plugin check NAME" calls Run with the same Subject.
//
// Each check starts emulators of its own and grants its principals what the check is
// about; nothing outside the process is reached. A check that does not apply is skipped
// with a reason, and one that a plugin cannot pass is waived in its Subject, in the open.
//
// To add a resource type: write Subject (Plugin, Resource, Seed, Host, ReadsValue, Expect
// are required), run the suite, and read the messages: each says what was claimed, what
// was seen and at which item.
package plugintest
