package main

// group is a table of the document.
type group struct {
	name, title, about string
	samples            []sample
}

var groups = []group{
	{"types", "What customers write", "The types of message. In the last column is what of the same type a company can send.", types},
	{"common", "Beside the content", "What messages of any type may have.", common},
	{"people", "Who it is", "Identities, their changes, and what a customer wants to be sent.", people},
	{"receipts", "Receipts", "What becomes of a message that a company sent.", receipts},
	{"beside", "What else happens in a conversation", "Echoes, imported history, calls, groups, handovers and Meta's conclusions.", beside},
	{"account", "Account, numbers, templates", "Webhooks about the business account. What they say is the state of a number or of the account.", account},
}
