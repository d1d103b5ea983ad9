package meta_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"threadline/infra/local/meta"
)

// A customer writes, and the business' webhook hears of it.
func Example() {
	heard := make(chan string)
	webhook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Entry []struct {
				Changes []struct {
					Value struct {
						Messages []struct{ Text struct{ Body string } }
					}
				}
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			log.Print(err)
		}
		heard <- body.Entry[0].Changes[0].Value.Messages[0].Text.Body
	}))
	defer webhook.Close()

	s, err := meta.New(meta.Options{AppSecret: "secret", AccessToken: "token",
		WebhookURL: webhook.URL, BaseURL: "http://127.0.0.1:8081"})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	if _, err := s.WriteText(s.Customers()[0].ID, "Are you open today?"); err != nil {
		log.Print(err)
	}
	fmt.Println(<-heard)
	// Output: Are you open today?
}
