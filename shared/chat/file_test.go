package chat

import "testing"

func TestASafeNameIsOneElementOfAPath(t *testing.T) {
	for name, want := range map[string]string{
		"bill.pdf": "bill.pdf", "../../etc/passwd": "etcpasswd", "a\r\nb.pdf": "ab.pdf", "photo\u202Egpj.exe": "photogpj.exe",
		"..hidden. ": "hidden", `<svg onload="x">.svg`: "svg onload=x.svg", "": "", "...": "",
	} {
		if got := (Attachment{Name: name}).SafeName(); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}
