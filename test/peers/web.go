package peers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The service of the peer shaped like GOV.UK Notify.
const (
	Service       = "26785a09-ab16-4eb0-8407-a37497a57506"
	ServiceSecret = "3d844edf-8d35-48ac-975b-e847b4f122b0"
	APIKey        = "test-" + Service + "-" + ServiceSecret
	EmailTemplate = "f33517ff-2a88-4f6e-b855-c550268ce08a"
	SMSTemplate   = "8ca5a4f2-3d1c-4b4b-9b1e-4c36a5a1a1e2"
)

// Got is one request that a peer took.
type Got struct {
	Path   string            `json:"path"`
	Header map[string]string `json:"header"`
	Body   json.RawMessage   `json:"body"`
	ID     string            `json:"id,omitempty"`
	Status string            `json:"status,omitempty"`
}

// Web is a peer over HTTP. Below /peer/ it is told what to do: GET /peer/got lists what it took, POST /peer/fail?code=&after=&times=
// fails the next requests, POST /peer/status?status= sets what became of everything that it took.
type Web struct {
	handle func(w http.ResponseWriter, r *http.Request, body []byte) bool // takes a request, and says whether it did

	mu    sync.Mutex
	got   []Got
	code  int
	after string
	times int
	drop  bool
}

// ServeHTTP implements http.Handler.
func (p *Web) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		http.Error(w, "cannot be read", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.URL.Path == "/peer/got":
		answer(w, http.StatusOK, p.got)
	case r.URL.Path == "/peer/fail":
		p.code, _ = strconv.Atoi(r.FormValue("code"))
		p.times, _ = strconv.Atoi(r.FormValue("times"))
		p.after, p.drop = r.FormValue("after"), r.FormValue("drop") != ""
	case r.URL.Path == "/peer/status":
		for i := range p.got {
			p.got[i].Status = r.FormValue("status")
		}
	case p.times > 0 && r.Method == http.MethodPost:
		p.times--
		if p.drop { // taken, and then silence
			p.handle(discard{}, r, body)
			panic(http.ErrAbortHandler)
		}
		if p.after != "" {
			w.Header().Set("Retry-After", p.after)
		}
		answer(w, p.code, map[string]any{"status_code": p.code, "errors": []map[string]string{{"error": "RateLimitError", "message": "Exceeded rate limit"}}})
	default:
		p.handle(w, r, body)
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func (p *Web) take(r *http.Request, body []byte, id string) {
	header := map[string]string{}
	for name := range r.Header {
		header[strings.ToLower(name)] = r.Header.Get(name)
	}
	p.got = append(p.got, Got{Path: r.URL.Path, Header: header, Body: body, ID: id, Status: "created"})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, code int, kind, message string) bool {
	answer(w, code, map[string]any{"status_code": code, "errors": []map[string]string{{"error": kind, "message": message}}})
	return false
}

// GOVUK is shaped like GOV.UK Notify: it checks the token, the template and its personalisation, and keeps what became of each.
func GOVUK() *Web {
	p := &Web{}
	p.handle = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if why := badToken(r.Header.Get("Authorization")); why != "" {
			return refuse(w, http.StatusForbidden, "AuthError", why)
		}
		if r.Method == http.MethodGet {
			p.asked(w, r)
			return false
		}
		var in struct {
			Email           string            `json:"email_address"`
			Phone           string            `json:"phone_number"`
			Template        string            `json:"template_id"`
			Reference       string            `json:"reference"`
			Personalisation map[string]string `json:"personalisation"`
		}
		if err := json.Unmarshal(body, &in); err != nil {
			return refuse(w, http.StatusBadRequest, "BadRequestError", "Invalid JSON")
		}
		switch {
		case r.URL.Path == "/v2/notifications/email" && in.Template == EmailTemplate && strings.Contains(in.Email, "@") && in.Personalisation["subject"] != "" && in.Personalisation["message"] != "":
		case r.URL.Path == "/v2/notifications/sms" && in.Template == SMSTemplate && strings.HasPrefix(in.Phone, "+44") && in.Personalisation["message"] != "":
		case r.URL.Path == "/v2/notifications/sms" && in.Template == SMSTemplate:
			return refuse(w, http.StatusBadRequest, "ValidationError", "phone_number Number is not a valid phone number")
		default:
			return refuse(w, http.StatusBadRequest, "BadRequestError", "Missing personalisation, or no such template")
		}
		id := fmt.Sprintf("740e5834-3a29-46b4-9a6f-%012d", len(p.got)+1)
		p.take(r, body, id)
		answer(w, http.StatusCreated, map[string]any{"id": id, "reference": in.Reference})
		return true
	}
	return p
}

// asked answers what became of one message, or of those with a reference.
func (p *Web) asked(w http.ResponseWriter, r *http.Request) {
	found := []map[string]string{}
	for _, g := range p.got {
		var sent struct {
			Reference string `json:"reference"`
		}
		_ = json.Unmarshal(g.Body, &sent)
		one := map[string]string{"id": g.ID, "reference": sent.Reference, "status": g.Status}
		if r.URL.Path == "/v2/notifications/"+g.ID {
			answer(w, http.StatusOK, one)
			return
		}
		if sent.Reference == r.FormValue("reference") {
			found = append(found, one)
		}
	}
	if r.URL.Path != "/v2/notifications" {
		refuse(w, http.StatusNotFound, "NoResultFound", "No result found")
		return
	}
	answer(w, http.StatusOK, map[string]any{"notifications": found})
}

// badToken says what is wrong with a token of ours.
func badToken(header string) string {
	text, ok := strings.CutPrefix(header, "Bearer ")
	parts := strings.Split(text, ".")
	if !ok || len(parts) != 3 {
		return "Invalid token: not a JWT"
	}
	mac := hmac.New(sha256.New, []byte(ServiceSecret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != parts[2] {
		return "Invalid token: signature"
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Issuer string `json:"iss"`
		At     int64  `json:"iat"`
	}
	if err != nil || json.Unmarshal(raw, &claims) != nil || claims.Issuer != Service {
		return "Invalid token: service not found"
	}
	if since := time.Since(time.Unix(claims.At, 0)).Abs(); since > 30*time.Second {
		return "Error: Your system clock must be accurate to within 30 seconds"
	}
	return ""
}

// Teams is shaped like a Teams workflow: it takes Adaptive Cards of the form that "post to a channel when a webhook request is
// received" takes, and any other JSON at addresses below /hook/.
func Teams() *Web {
	p := &Web{}
	p.handle = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if strings.HasPrefix(r.URL.Path, "/hook/") || strings.HasPrefix(r.URL.Path, "/services/") {
			p.take(r, body, "")
			w.WriteHeader(http.StatusOK)
			return true
		}
		if r.URL.Path == "/gone" {
			return refuse(w, http.StatusNotFound, "WorkflowNotFound", "no such workflow")
		}
		var in struct {
			Type        string `json:"type"`
			Attachments []struct {
				ContentType string `json:"contentType"`
				Content     struct {
					Type string           `json:"type"`
					Body []map[string]any `json:"body"`
				} `json:"content"`
			} `json:"attachments"`
		}
		if err := json.Unmarshal(body, &in); err != nil || in.Type != "message" || len(in.Attachments) != 1 ||
			in.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || in.Attachments[0].Content.Type != "AdaptiveCard" || len(in.Attachments[0].Content.Body) == 0 {
			return refuse(w, http.StatusBadRequest, "TriggerInputSchemaMismatch", "not an Adaptive Card")
		}
		p.take(r, body, "")
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	return p
}

// Certificate makes a certificate for this machine, which signs itself, and the PEM by which a client trusts it.
func Certificate() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "peer"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), nil
}

// KeyPEM is a certificate's private key as PEM.
func KeyPEM(c tls.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// Serve serves a peer until the process ends, with TLS where pemFile names where to write its certificate, and prints its address.
func Serve(p *Web, pemFile string, write func(name string, text []byte) error, out io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it lives as long as the process
	if err != nil {
		return err
	}
	scheme := "http"
	if pemFile != "" {
		certificate, text, err := Certificate()
		if err != nil {
			return err
		}
		if err := write(pemFile, text); err != nil {
			return err
		}
		scheme, listener = "https", tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	}
	fmt.Fprintf(out, "%s://%s\n", scheme, listener.Addr())
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	return server.Serve(listener)
}
