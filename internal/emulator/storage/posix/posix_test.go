package posix

import "testing"

func list(t *testing.T, text string) ACL {
	t.Helper()
	a, err := Parse(text, true)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"other::---,user::rwx,group::r-x": "user::rwx,group::r-x,other::---",
		"default:other::---,mask::r--,user:b:rw-,user:a:r--,user::rwx,group::---,other::--x": "user::rwx,user:b:rw-,user:a:r--,group::---,mask::r--,other::--x,default:other::---",
	} {
		if got := list(t, text).Text(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, bad := range []string{"", "user:rwx", "nobody::rwx", "user::rwz", "mask:x:rwx", "user:a:r--,user:A:rw-", "default:user::", "user::rwxr"} {
		if got, err := Parse(bad, true); err == nil {
			t.Errorf("%q is taken: %v", bad, got)
		}
	}
	gone, err := Parse("user:a,default:mask,group:b:", false)
	if err != nil || len(gone) != 3 {
		t.Errorf("to be removed: %v, %v", gone, err)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0750": "rwxr-x---", "1777": "rwxrwxrwt", "rw-r-----": "rw-r-----", "rwxr-x--T": "rwxr-x--T", "0666": "rw-rw-rw-", "rwxr-x---+": "rwxr-x---",
	} {
		m, err := ParseMode(text)
		if got := New("o", "g", m).Permissions(); err != nil || got != want {
			t.Errorf("%s: %s, want %s: %v", text, got, want, err)
		}
	}
	for _, bad := range []string{"750", "0799", "rwx", "rwxrwxrwz", "rwqr-x---", ""} {
		if m, err := ParseMode(bad); err == nil {
			t.Errorf("%q is taken: %o", bad, m)
		}
	}
	a, err := New("o", "g", 0o750).Modify(list(t, "user:u:rwx"), false)
	if err != nil || a.Permissions() != "rwxrwx---+" || a.ACL.Text() != "user::rwx,user:u:rwx,group::r-x,mask::rwx,other::---" {
		t.Errorf("named: %s %s %v", a.Permissions(), a.ACL.Text(), err)
	}
	if b := a.Chmod(0o740); b.ACL.Text() != "user::rwx,user:u:rwx,group::r-x,mask::r--,other::---" {
		t.Errorf("chmod with a mask: %s", b.ACL.Text())
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	base := New("o", "g", 0o750)
	full, err := base.Replace(list(t, "user::rwx,group::r-x,other::---,default:user:u:r-x"), true)
	const want = "user::rwx,group::r-x,other::---,default:user::rwx,default:user:u:r-x,default:group::r-x,default:mask::r-x,default:other::---"
	if err != nil || full.ACL.Text() != want {
		t.Errorf("default list: %s, %v", full.ACL.Text(), err)
	}
	if _, err := base.Replace(list(t, "user::rwx,group::r-x"), true); err == nil {
		t.Error("a list without others is taken")
	}
	if _, err := base.Modify(list(t, "default:user:u:r-x"), false); err == nil {
		t.Error("a file takes default entries")
	}
	long := ACL{}
	for i := range 40 {
		long = append(long, Entry{Kind: User, ID: string(rune('a' + i)), Bits: Read})
	}
	if _, err := base.Modify(long, false); err == nil {
		t.Error("40 entries are taken")
	}
	gone, _ := Parse("default:user:u", false)
	if got, err := full.Remove(gone, true); err != nil || got.ACL.Text() != "user::rwx,group::r-x,other::---,default:user::rwx,default:group::r-x,default:mask::r-x,default:other::---" {
		t.Errorf("removed: %s, %v", got.ACL.Text(), err)
	}
	if _, err := full.Remove(ACL{{Kind: Other}}, true); err == nil {
		t.Error("the others can be removed")
	}
}

func TestInherit(t *testing.T) {
	t.Parallel()
	plain := New("o", "g", 0o750)
	if got := plain.Inherit("me", false, NewFile, Umask); got.Permissions() != "rw-r-----" || got.Owner != "me" || got.Group != "g" {
		t.Errorf("file: %+v", got)
	}
	if got := plain.Inherit("me", true, NewDirectory, Umask); got.Permissions() != "rwxr-x---" {
		t.Errorf("directory: %s", got.Permissions())
	}
	def, err := plain.Modify(list(t, "default:user:u:rwx,default:other::r-x"), true)
	if err != nil {
		t.Fatal(err)
	}
	const access = "user::rwx,user:u:rwx,group::r-x,mask::rwx,other::r-x"
	if got := def.Inherit("me", true, NewDirectory, Umask).ACL.Text(); got != access+",default:user::rwx,default:user:u:rwx,default:group::r-x,default:mask::rwx,default:other::r-x" {
		t.Errorf("directory in one with a default list: %s", got)
	}
	if got := def.Inherit("me", false, 0o644, Umask).ACL.Text(); got != "user::rw-,user:u:rwx,group::r-x,mask::r--,other::r--" {
		t.Errorf("file in one with a default list: %s", got)
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	a, err := New("owner", "group", 0o710).Modify(list(t, "user:u:rwx,group:h:r-x,mask::r-x,other::--x"), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id   string
		want Bits
		ok   bool
	}{
		{"owner", All, true},
		{"OWNER", All, true},
		{"u", Read | Execute, true},
		{"u", Write, false}, // the mask
		{"h", Read, true},
		{"group", Execute, true},
		{"group", Read, false},
		{"somebody", Execute, true},
		{"somebody", Read, false},
		{"", Read, false},
	} {
		if got := a.Allows(c.id, c.want); got != c.ok {
			t.Errorf("%q %s: %v", c.id, c.want, got)
		}
	}
}
