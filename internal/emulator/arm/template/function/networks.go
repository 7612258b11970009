package function

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
)

var networks = []entry{
	{"cidrHost", 2, 2, cidrHost},
	{"cidrSubnet", 3, 3, cidrSubnet},
	{"parseCidr", 1, 1, parseCidr},
}

func prefix(args []any) (netip.Prefix, error) {
	s, err := text(args, 0)
	if err != nil {
		return netip.Prefix{}, err
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("'%s' is not a CIDR range", s)
	}
	return p.Masked(), nil
}

// plus adds a number of addresses; ok is false behind the last one.
func plus(a netip.Addr, n *big.Int) (netip.Addr, bool) {
	raw := a.AsSlice()
	sum := new(big.Int).Add(new(big.Int).SetBytes(raw), n)
	if sum.Sign() < 0 || sum.BitLen() > len(raw)*8 {
		return a, false
	}
	return netip.AddrFromSlice(sum.FillBytes(make([]byte, len(raw))))
}

// span is how many addresses a prefix has.
func span(p netip.Prefix, bits int) *big.Int {
	return new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-bits))
}

func cidrSubnet(args []any) (any, error) {
	p, err := prefix(args)
	if err != nil {
		return nil, err
	}
	bits, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	n, err := whole(args, 2)
	if err != nil {
		return nil, err
	}
	if bits < int64(p.Bits()) || bits > int64(p.Addr().BitLen()) || n < 0 {
		return nil, errors.New("the new prefix and the index must lie within the range")
	}
	at, ok := plus(p.Addr(), new(big.Int).Mul(span(p, int(bits)), big.NewInt(n)))
	if !ok || !p.Contains(at) {
		return nil, errors.New("the index lies behind the last subnet")
	}
	return netip.PrefixFrom(at, int(bits)).String(), nil
}

// cidrHost gives the n-th usable host: 0 is the address behind the network's own.
func cidrHost(args []any) (any, error) {
	p, err := prefix(args)
	if err != nil {
		return nil, err
	}
	n, err := whole(args, 1)
	if err != nil {
		return nil, err
	}
	at, ok := plus(p.Addr(), big.NewInt(n+1))
	if n < 0 || !ok || !p.Contains(at) {
		return nil, errors.New("the index lies behind the last host")
	}
	return at.String(), nil
}

// parseCidr describes an IPv4 or IPv6 range; netmask, broadcast and the usable hosts are
// those of IPv4.
func parseCidr(args []any) (any, error) {
	p, err := prefix(args)
	if err != nil {
		return nil, err
	}
	last, _ := plus(p.Addr(), new(big.Int).Sub(span(p, p.Bits()), big.NewInt(1)))
	out := map[string]any{
		"network": p.Addr().String(), "cidr": int64(p.Bits()), "firstUsable": p.Addr().String(), "lastUsable": last.String(),
	}
	if !p.Addr().Is4() {
		return out, nil
	}
	mask := make([]byte, 4)
	binary.BigEndian.PutUint32(mask, ^uint32(0)<<(32-p.Bits()))
	netmask, _ := netip.AddrFromSlice(mask)
	out["netmask"], out["broadcast"] = netmask.String(), last.String()
	if p.Bits() < 31 {
		out["firstUsable"], out["lastUsable"] = p.Addr().Next().String(), last.Prev().String()
	}
	return out, nil
}
