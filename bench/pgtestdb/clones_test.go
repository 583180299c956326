// Databases of pgtestdb, one after the other on a server that runs: what bench/clones.py compares the clones with.
package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/peterldowns/pgtestdb"
)

// modules are the SQL files of a folder, applied in the order of their names.
type modules struct{ texts []string }

func (m modules) Hash() (string, error) {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(m.texts, "\x00")))), nil
}

func (m modules) Migrate(ctx context.Context, db *sql.DB, _ pgtestdb.Config) error {
	for _, text := range m.texts {
		if _, err := db.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// TestClones writes how many seconds each of COUNT databases took, from its request to the answer of a query in it.
func TestClones(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(os.Getenv("MODULES"), "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(files)
	var migrator modules
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		migrator.texts = append(migrator.texts, string(text))
	}
	conf := pgtestdb.Config{
		DriverName: "pgx",
		User:       os.Getenv("PGUSER"),
		Password:   os.Getenv("PGPASSWORD"),
		Port:       os.Getenv("PGPORT"),
		Database:   "postgres",
		Options:    url.Values{"host": {os.Getenv("PGHOST")}}.Encode(), // a directory of Unix sockets
	}
	count, err := strconv.Atoi(os.Getenv("COUNT"))
	if err != nil {
		t.Fatal(err)
	}
	var seconds []float64
	for range count + 1 { // the first makes the template
		t.Run("", func(t *testing.T) {
			started := time.Now()
			db := pgtestdb.New(t, conf, migrator)
			var answer int
			if err := db.QueryRow("SELECT 1").Scan(&answer); err != nil {
				t.Fatal(err)
			}
			seconds = append(seconds, time.Since(started).Seconds())
		})
	}
	text, err := json.Marshal(seconds[1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("RESULT"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
