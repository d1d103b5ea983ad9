package main

import (
	"fmt"
	"slices"
)

// sizes of a conversation, and numbers of other people, between which nothing may change.
var sizes = []int{10, 1_000, 100_000}

// constancy shows that a message costs the same in a long conversation and among many people.
func (b *bench) constancy() error {
	title("Units by the length of the conversation and the number of other contacts")
	columns := make([][]operation, len(sizes))
	for i, n := range sizes {
		var err error
		if columns[i], err = operations(n); err != nil {
			return err
		}
	}
	head := []string{"operation"}
	for _, n := range sizes {
		head = append(head, fmt.Sprintf("%d: calls", n), "write units", "read units")
	}
	head = append(head, "")
	var rows [][]string
	for i, o := range columns[0] {
		if i == 0 {
			continue // is what the others are added to
		}
		row := []string{o.name}
		var costs []string
		for _, column := range columns {
			u := column[i].usage.sum().table
			cost := []string{count(float64(u.Calls)), count(u.Writes), count(u.Reads)}
			costs = append(costs, fmt.Sprint(cost))
			row = append(row, cost...)
		}
		rows = append(rows, append(row, constant(costs)))
	}
	table(head, rows)
	return nil
}

// constant tells whether costs stay as they are: those of a page once it is full.
func constant(costs []string) string {
	switch same := len(slices.Compact(slices.Clone(costs))); {
	case same == 1:
		return "constant"
	case costs[1] == costs[2]:
		return "constant from " + fmt.Sprint(sizes[1])
	}
	return target(false, "constant")
}
