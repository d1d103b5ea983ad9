package odoo

import (
	"strings"
	"testing"
)

func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                             "",
		"<p>hello</p>":                                 "hello",
		"<p>one<br>two</p><p>three</p>":                "one\ntwo\nthree",
		"<p>a &lt;b&gt; &amp; c&nbsp;d</p>":            "a <b> & c d",
		"<p>some\n   <b>bold</b> <i>and</i>":           "some bold and",
		"<div><p>x</p></div><div>y</div>":              "x\ny",
		"<ul><li>one</li><li>two</li></ul>":            "- one\n- two",
		"<script>alert(1)</script><p>x</p><!-- no -->": "x",
		`<p><a href="https://example.com/a?b=1&amp;c=2">our shop</a></p>`:                                                  "our shop (https://example.com/a?b=1&c=2)",
		`<p><a href="https://example.com">https://example.com</a></p>`:                                                     "https://example.com",
		`<p><a href="https://example.com">example.com</a></p>`:                                                             "example.com",
		`<p><a href="https://odoo.example/web#id=3" data-oe-model="res.partner" data-oe-id="3">@Sales</a> please look</p>`: "@Sales please look",
		"<p>1 < 2</p>":                         "1 < 2",
		"<p>first</p><p><br></p><p>second</p>": "first\n\nsecond",
		`<div>one<br><span data-o-mail-quote="1">-- <br data-o-mail-quote="1">Sales</span></div>`:                     "one",
		`<div>one<div data-o-mail-quote="1">-- <br>Sales</div></div>`:                                                 "one",
		`<div>one -- two</div><div class="o-signature-container" data-o-mail-quote="1"><p>Sales</p></div>`:            "one -- two",
		`<div class="o-paragraph">one</div><div class="o-paragraph"><br></div><div class="o-paragraph">--two--</div>`: "one\n\n--two--",
	} {
		if got := plainText(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// TestQuotes proves that an answer to an e-mail and what is passed on are told from what a user says to the customer.
func TestQuotes(t *testing.T) {
	const reply = `<div>Fine.</div><div class="o_mail_reply_container" data-o-mail-quote="1"><div class="o_mail_reply_content">` +
		`<div><span>On Mon, Nov 2, 2026 María &lt;&gt;wrote</span></div><blockquote><p>hello</p></blockquote></div></div>`
	const head = `<br><span>Date: Mon, Nov 2, 2026</span><br><span>From: María <a href="mailto:">&lt;&gt;</a></span><br><span>Subject: María</span></div><p>hello</p>`
	for body, want := range map[string]bool{
		reply: true,
		`<div><br></div><div><span>---------- Forwarded message ----------</span>` + head: true,
		`<div>For you</div><div>---------- Mensaje reenviado ----------` + head:           true,
		`<p>---------- offer ----------</p><p>one</p>`:                                    false,
		`<p>----- offer -----</p><p>one</p><p>two</p><p>three</p>`:                        false,
		`<p>hello</p><p>---------</p><p>one</p><p>two</p><p>three</p>`:                    false,
		`<blockquote>what you wrote</blockquote><p>Yes.</p>`:                              false,
		`<p class="x">o_mail_reply_container</p>`:                                         false,
		``: false,
	} {
		if got := quotes(body); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

// TestAnnotated proves that our line stays one, also where Odoo took it for a part of somebody's signature.
func TestAnnotated(t *testing.T) {
	body := annotated("<p>hello</p>", []string{"Sent <b>"})
	if body != "<p>hello</p><p><em>WhatsApp · Sent &lt;b&gt;</em></p>" {
		t.Fatal(body)
	}
	marked := strings.NewReplacer("<p><em>", `<p data-o-mail-quote="1"><em data-o-mail-quote="1">`).Replace(body) + "\n"
	for _, old := range []string{body, marked} {
		if got := annotated(old, []string{"Read"}); got != "<p>hello</p><p><em>WhatsApp · Read</em></p>" {
			t.Errorf("%q became %q", old, got)
		}
		if got := annotated(old, nil); got != "<p>hello</p>" {
			t.Errorf("%q became %q without notes", old, got)
		}
	}
}
