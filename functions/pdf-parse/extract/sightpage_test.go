package extract

import "fmt"

func numbers(v ...float64) string {
	out := ""
	for _, n := range v {
		out += fmt.Sprintf("%g ", n)
	}
	return out
}

// sightPage is a page with what the cases of TestSight name. Group 5 is off, 6 is on.
func sightPage(content string) []byte {
	const (
		black = "/FunctionType 2 /Domain [0 1] /N 1 /C0 [1] /C1 [0]"
		axial = "/ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 1 0] /Extend [true true] /Function << /FunctionType 2 /Domain [0 1] /N 1 "
		group = "/Type /XObject /Subtype /Form /BBox [0 0 200 100] "
		text  = "BT /F 10 Tf 50 50 Td (A) Tj ET"
	)
	resources := helvetica + ` /ExtGState << /Multiply << /BM /Multiply >> /Screen << /BM [/Nonsense /Screen] >> /Half << /ca .4 >> /None << /ca 0 >>
		/Trace << /ca .01 >> /Nearly << /ca .99 >> /Soft << /SMask << /S /Luminosity /G 9 0 R >> >> /NoSoft << /SMask /None >> >>
		/ColorSpace << /Lab [/Lab << /WhitePoint [.95 1 1.09] >>] /ICC [/ICCBased << /N 3 >>] /Index [/Indexed /DeviceGray 1 <00FF>]
		/Sep [/Separation /Ink /DeviceGray << ` + black + ` >>] /None [/Separation /None /DeviceGray << ` + black + ` >>] >>
		/Pattern << /Shade << /PatternType 2 /Shading << ` + axial + `/C0 [0] /C1 [.5] >> >> >>
		/Pale << /PatternType 2 /Shading << ` + axial + `/C0 [1] /C1 [1] >> >> >> /Tile 15 0 R >>
		/Shading << /Dark << ` + axial + `/C0 [0] /C1 [.3] >> >> >>
		/XObject << /Im 7 0 R /Clear 8 0 R /Group 9 0 R /Cover 10 0 R /FormOff 11 0 R /ImOff 12 0 R /JPX 13 0 R /Open 14 0 R >>
		/Properties << /Off 5 0 R /On 6 0 R /AnyOn << /Type /OCMD /OCGs [5 0 R 6 0 R] >> /AllOn << /Type /OCMD /P /AllOn /OCGs [5 0 R 6 0 R] >>
		/AnyOff << /Type /OCMD /P /AnyOff /OCGs [5 0 R 6 0 R] >> /AllOff << /Type /OCMD /P /AllOff /OCGs [5 0 R 6 0 R] >>
		/Not << /Type /OCMD /VE [/Not 6 0 R] >> /And << /Type /OCMD /VE [/And 6 0 R [/Not [/Not 5 0 R]]] >>
		/Or << /Type /OCMD /VE [/Or 5 0 R [/Not 5 0 R]] >> /Loop << /Type /OCMD /VE 16 0 R >> /Nothing (none) >>`
	return build(
		"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [5 0 R 6 0 R] /D << /OFF [5 0 R] >> >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << "+resources+" >> >>",
		stream("", content),
		"<< /Type /OCG /Name (off) >>",
		"<< /Type /OCG /Name (on) >>",
		stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", "\x00"),
		stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /SMask 7 0 R", "\x00"),
		stream(group+"/Group << /S /Transparency >>", text),
		stream(group, "1 g 40 45 50 20 re f"),
		stream(group+"/OC 5 0 R", text),
		stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /OC 5 0 R", "\x00"),
		stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /Filter /JPXDecode /SMaskInData 1 /SMask 13 0 R", "\x00"),
		stream(group+"/Resources << /Properties << /Off 5 0 R >> >>", "/OC /Off BDC"),
		stream("/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 9 /YStep 9", "0 0 3 3 re f"),
		"[/Or 16 0 R 16 0 R]",
	)
}
